export type { ConnectionAccess, ConnectionPass } from './access.js';
export type {
  FrameReading,
  FrameRecord,
  SessionMemory,
  SessionOptions,
  StreamNews,
  Subscription,
  VenueDefaults,
  VenueDriver,
  VenueSession,
} from './driver.js';
export type { Venue } from './venue.js';
