import { validOrderBook, type Nanoseconds, type OrderBook } from '@aipx/market-model';
import { EXCHANGE, readOptionalDecimal, readStreamType, readTime, type Message } from './message.js';
import { readUnits } from './order-book-units.js';

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

/** @throws {MarketDataError} `VALIDATION_*`, naming the field and the value */
export function readOrderBook(message: OrderBookMessage, symbol: string, receivedTimestamp: Nanoseconds): OrderBook {
  const { bids, asks } = readUnits(message.orderbook_units ?? message.obu);
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
