export type { ConnectionAccess, ConnectionPass } from './access.js';
export type {
  FrameReading,
  FrameRecord,
  Registration,
  RegistrationNews,
  RegistrationPolicy,
  SessionMemory,
  SessionOptions,
  Stretch,
  Subscription,
  TradingNews,
  VenueDefaults,
  VenueDriver,
  VenueSession,
} from './driver.js';
export {
  planConnections,
  type ConnectionPlan,
  type OpenVenue,
  type OpenVenueStatus,
  type VenueMetric,
} from './opening.js';
export type { Venue } from './venue.js';
