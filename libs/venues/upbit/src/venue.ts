import type { Venue } from '@aipx/venue';
import { upbitDriver } from './driver.js';

/** The registry entry. */
export const upbit: Venue = {
  driver: upbitDriver,
  loadSimulator: async () => (await import('./simulator/index.js')).upbitSimulator,
};
