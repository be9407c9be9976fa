export type { UpbitTimings } from './connection.js';
export { createUpbitSimulator, upbitSimulator } from './venue.js';
