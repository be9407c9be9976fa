export type {
  MarketCounters,
  MarketOptions,
  RestAnswer,
  RestRequest,
  SimulatedClient,
  SimulatedConnection,
  SimulatedEvent,
  SimulatedMarket,
  SimulatedRecord,
  SimulatedStream,
  SimulatedVenue,
  TradeStamp,
} from './contract.js';
export { seededRandom, type Random } from './random.js';
