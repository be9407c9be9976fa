export type {
  FrameReading,
  FrameRecord,
  KeepAlive,
  ReconnectPolicy,
  SessionOptions,
  Subscription,
  VenueDefaults,
  VenueDriver,
  VenueSession,
} from './driver.js';
export type { Venue } from './venue.js';
