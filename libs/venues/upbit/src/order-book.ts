import {
  isPadding,
  validOrderBook,
  type Decimal,
  type Level,
  type Nanoseconds,
  type OrderBook,
} from '@aipx/market-model';
import {
  EXCHANGE,
  isObject,
  readDecimal,
  readOptionalDecimal,
  readStreamType,
  readTime,
  unreadable,
  type Message,
} from './message.js';

/**
 * One book window (documented: WebSocket, "orderbook"); it replaces the one before. In SIMPLE, cut to two units:
 *
 * ```json
 * {"ty":"orderbook","cd":"BTC-BERA","tms":1787728554853,"tas":120.5,"tbs":3.0E-4,"obu":[
 *  {"ap":0.00000113,"bp":0.00000112,"as":20.5,"bs":3.0E-4},{"ap":0.00000114,"bp":0,"as":100,"bs":0}],
 *  "st":"REALTIME","lv":0}
 * ```
 */
export interface OrderBookMessage extends Message {
  /** Best first. The n-th unit holds the n-th ask and the n-th bid, which have nothing else in common. */
  readonly orderbook_units?: unknown;
  readonly obu?: unknown;
  readonly total_ask_size?: unknown;
  readonly tas?: unknown;
  readonly total_bid_size?: unknown;
  readonly tbs?: unknown;
}

interface Unit {
  readonly ask_price?: unknown;
  readonly ap?: unknown;
  readonly ask_size?: unknown;
  readonly as?: unknown;
  readonly bid_price?: unknown;
  readonly bp?: unknown;
  readonly bid_size?: unknown;
  readonly bs?: unknown;
}

/** @throws {MarketDataError} `VALIDATION_*`, naming the field and the value */
export function readOrderBook(message: OrderBookMessage, symbol: string, receivedTimestamp: Nanoseconds): OrderBook {
  const units: unknown = message.orderbook_units ?? message.obu;
  if (!Array.isArray(units)) throw unreadable('orderbook_units', units, 'a list');
  const bids: Level[] = [];
  const asks: Level[] = [];
  for (const unit of units as readonly unknown[]) addUnit(unit, bids, asks);
  return validOrderBook({
    kind: 'orderbook',
    exchange: EXCHANGE,
    symbol,
    bids,
    asks,
    timestamp: readTime(message.timestamp ?? message.tms, 'timestamp'),
    receivedTimestamp,
    streamType: readStreamType(message),
    totalBidQuantity: readOptionalDecimal(message.total_bid_size ?? message.tbs, 'total_bid_size'),
    totalAskQuantity: readOptionalDecimal(message.total_ask_size ?? message.tas, 'total_ask_size'),
  });
}

function addUnit(unit: unknown, bids: Level[], asks: Level[]): void {
  if (!isObject<Unit>(unit)) throw unreadable('a unit of orderbook_units', unit, 'an object');
  addLevel(
    bids,
    readDecimal(unit.bid_price ?? unit.bp, 'bid_price'),
    readDecimal(unit.bid_size ?? unit.bs, 'bid_size'),
  );
  addLevel(
    asks,
    readDecimal(unit.ask_price ?? unit.ap, 'ask_price'),
    readDecimal(unit.ask_size ?? unit.as, 'ask_size'),
  );
}

/** A side with fewer orders than the other is filled up with price 0 and size 0 (as seen on the wire). */
function addLevel(levels: Level[], price: Decimal, quantity: Decimal): void {
  if (!isPadding(price, quantity)) levels.push({ price, quantity });
}
