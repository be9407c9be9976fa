import {
  isPositive,
  negate,
  validTick,
  type Decimal,
  type Nanoseconds,
  type Side,
  type Tick,
} from '@aipx/market-model';
import {
  EXCHANGE,
  readDecimal,
  readOptionalDecimal,
  readStreamType,
  readText,
  readTime,
  unreadable,
  type Message,
} from './message.js';

/**
 * One trade (documented: WebSocket, "trade"). In SIMPLE:
 *
 * ```json
 * {"ty":"trade","cd":"KRW-ETH","tms":1787728554853,"td":"2026-08-26","ttm":"07:15:54","ttms":1787728554797,
 *  "tp":5120000.0,"tv":7.9276E-4,"ab":"ASK","pcp":5100000.00000000,"c":"RISE","cp":20000.00000000,
 *  "sid":17877285547970001,"st":"REALTIME"}
 * ```
 */
export interface TradeMessage extends Message {
  /** Execution time; `timestamp` is when the server published it, which can be seconds later. */
  readonly trade_timestamp?: unknown;
  readonly ttms?: unknown;
  readonly trade_price?: unknown;
  readonly tp?: unknown;
  readonly trade_volume?: unknown;
  readonly tv?: unknown;
  /** The taker: `ASK` sold, `BID` bought. */
  readonly ask_bid?: unknown;
  readonly ab?: unknown;
  /** `RISE`, `EVEN` or `FALL` against the previous close at 00:00 UTC. */
  readonly change?: unknown;
  readonly c?: unknown;
  /** Without a sign on the socket. */
  readonly change_price?: unknown;
  readonly cp?: unknown;
  /** 17 digits, beyond 2^53. Unique within one code only, and not in order. */
  readonly sequential_id?: unknown;
  readonly sid?: unknown;
}

/**
 * The first trade after a subscription is a `SNAPSHOT`: the latest one there was, possibly old and received before.
 *
 * @throws {MarketDataError} `VALIDATION_*`, naming the field and the value
 */
export function readTrade(message: TradeMessage, symbol: string, receivedTimestamp: Nanoseconds): Tick {
  return validTick({
    kind: 'tick',
    exchange: EXCHANGE,
    symbol,
    price: readDecimal(message.trade_price ?? message.tp, 'trade_price'),
    volume: readDecimal(message.trade_volume ?? message.tv, 'trade_volume'),
    timestamp: readTime(message.trade_timestamp ?? message.ttms, 'trade_timestamp'),
    change: readChange(message),
    changeRate: undefined, // not printed in trades
    side: readSide(message.ask_bid ?? message.ab),
    tradeId: readTradeId(message.sequential_id ?? message.sid),
    receivedTimestamp,
    streamType: readStreamType(message),
  });
}

function readTradeId(value: unknown): string {
  const id = readText(value, 'sequential_id');
  if (!/^\d+$/.test(id)) throw unreadable('sequential_id', value, 'digits');
  return id;
}

function readSide(value: unknown): Side | undefined {
  switch (value) {
    case 'ASK':
      return 'SELL';
    case 'BID':
      return 'BUY';
    case undefined:
    case null:
      return undefined;
    default:
      throw unreadable('ask_bid', value, 'ASK or BID');
  }
}

function readChange(message: TradeMessage): Decimal | undefined {
  const direction = message.change ?? message.c;
  const size = readOptionalDecimal(message.change_price ?? message.cp, 'change_price');
  if (size === undefined) return undefined;
  switch (direction) {
    case 'RISE':
    case 'EVEN':
      return size;
    case 'FALL':
      return isPositive(size) ? negate(size) : size;
    case undefined:
    case null:
      return undefined;
    default:
      throw unreadable('change', direction, 'RISE, EVEN or FALL');
  }
}
