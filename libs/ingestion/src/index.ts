export type { BufferLimits } from './buffer/limits.js';
export type { WaitingRecord } from './buffer/waiting-record.js';
export { connectionSettings, type ConnectionOverrides, type ConnectionSettings } from './connection-settings.js';
export type { VenueCounts } from './counts.js';
export {
  Ingestion,
  type BufferOptions,
  type FailedConnection,
  type IngestionHooks,
  type IngestionOptions,
  type IngestionStatus,
} from './ingestion.js';
export type { DropCounts, PublishCounts, PublisherStatus, SpillStatus, VenuePublishCounts } from './publisher.js';
export { SpillQueue } from './spill/spill-queue.js';
export type { StreamStatus, SubscriptionState } from './subscription-states.js';
export type { VenueInput } from './venue-connection.js';
export { unknownSymbols } from './unknown-symbols.js';
export { venueInputs, type VenueInputSettings } from './venue-inputs.js';
export type { ConnectionStatus, VenueIngestionStatus } from './venue-status.js';
