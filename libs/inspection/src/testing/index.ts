export { record } from './record.js';
