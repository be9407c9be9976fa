import type { VenueDriver } from './driver.js';
import type { SimulatedVenue } from './simulation/contract.js';

/** A registry entry: the driver, and on demand the venue's simulated counterpart. */
export interface Venue {
  readonly driver: VenueDriver;
  /** Loaded on demand, so that a production process never carries the simulator. */
  loadSimulator(): Promise<SimulatedVenue>;
}
