export type { PublishCounts, VenueCounts } from './counts.js';
export {
  Ingestion,
  type IngestionHooks,
  type IngestionLimits,
  type IngestionOptions,
  type IngestionStatus,
  type VenueIngestionStatus,
} from './ingestion.js';
export type { StreamStatus, SubscriptionState } from './subscription-states.js';
export type { VenueInput } from './venue-connection.js';
export { unknownSymbols } from './unknown-symbols.js';
