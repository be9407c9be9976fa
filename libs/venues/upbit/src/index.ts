export { upbitDriver } from './driver.js';
export { upbit } from './venue.js';
