export type { Fault } from './faults.js';
export { inspectFrames, type FramesInspection, type InspectedVenue } from './frames/inspect.js';
export { firstFrames } from './frames/recording.js';
export type { JournalOptions } from './journal.js';
export type {
  ConnectionChange,
  FramesSourceSettings,
  MarketSourceSettings,
  VenueSimulatorOptions,
} from './settings.js';
export { startVenueSimulator, type VenueSimulator } from './simulator.js';
