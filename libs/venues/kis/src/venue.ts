import type { Venue } from '@aipx/venue';
import { kisDriver } from './driver/driver.js';

/** The registry entry: KRX, and every weekday trades. Whoever knows the segment and the holidays makes a driver of its own. */
export const kis: Venue = {
  driver: kisDriver(),
  loadSimulator: async () => (await import('./simulator/index.js')).createKisSimulator(),
};
