export { book, entryOf, gap, level, START, tick, undecodable } from './events.js';
