export { book, entryOf, gap, level, START, tick, undecodable, type TestEntry } from './events.js';
