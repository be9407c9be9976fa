export type {
  MarketOptions,
  RestAnswer,
  SimulatedClient,
  SimulatedConnection,
  SimulatedEvent,
  SimulatedMarket,
  SimulatedVenue,
} from './contract.js';
