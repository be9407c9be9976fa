export type { ConnectLimit, KeepAlive, ReconnectPolicy } from './connection.js';
export { addDecimal } from './decimal-sum.js';
export {
  compareDecimal,
  isDecimal,
  isDecimalInBytes,
  isPositive,
  isZero,
  negate,
  parseDecimal,
  type Decimal,
} from './decimal.js';
export { asMarketDataError, ERROR_CODES, MarketDataError, type ErrorCode, type ErrorDetails } from './error.js';
export {
  GAP_CAUSES,
  type Channel,
  type Gap,
  type GapCause,
  type Level,
  type MarketEvent,
  type OrderBook,
  type Side,
  type StreamType,
  type Tick,
} from './event.js';
export { parseJsonKeepingDigits } from './json.js';
export type { JsonCursor, JsonListReader, JsonListReaders } from './plain-json.js';
export { fromEpochMicros, fromEpochMillis, toEpochMicros, toIsoText, type Nanoseconds } from './time.js';
export { isPadding, validOrderBook, validTick } from './validity.js';
