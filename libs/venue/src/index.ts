export type {
  FrameReading,
  FrameRecord,
  SessionOptions,
  Subscription,
  VenueDefaults,
  VenueDriver,
  VenueSession,
} from './driver.js';
export type { Venue } from './venue.js';
