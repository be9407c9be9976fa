import { parseDecimal, type Gap, type Level, type MarketEvent, type OrderBook, type Tick } from '@aipx/market-model';
import { encodeEvent } from '../encode.js';
import { EVENT_TOPICS } from '../topics.js';

/** 2021-04-17 16:51:02 UTC. */
export const START = 1_618_678_262_000_000_000n;
const MICRO = 1000n;

/** The n-th trade: everything about it follows from n. */
export function tick(n: number, changes: Partial<Tick> = {}): Tick {
  return {
    kind: 'tick',
    exchange: 'upbit',
    symbol: `KRW-S${n % 7}`,
    price: parseDecimal(String(100 + n)),
    volume: parseDecimal('46.48838371'),
    timestamp: START + BigInt(n) * MICRO,
    change: parseDecimal('-4'),
    changeRate: parseDecimal('-0.0191'),
    side: n % 2 === 0 ? 'BUY' : 'SELL',
    tradeId: `${1_618_678_262_000_003n + BigInt(n)}`,
    receivedTimestamp: START + BigInt(n) * MICRO + 1_234_567n,
    streamType: 'REALTIME',
    ...changes,
  };
}

export function level(price: string, quantity: string): Level {
  return { price: parseDecimal(price), quantity: parseDecimal(quantity) };
}

export function book(n: number, changes: Partial<OrderBook> = {}): OrderBook {
  return {
    kind: 'orderbook',
    exchange: 'upbit',
    symbol: `KRW-S${n % 7}`,
    bids: [level(String(100 + n), '1.5'), level(String(99 + n), '20')],
    asks: [level(String(101 + n), '0.00000001'), level(String(102 + n), '3')],
    timestamp: START + BigInt(n) * MICRO,
    receivedTimestamp: START + BigInt(n) * MICRO,
    streamType: 'REALTIME',
    totalBidQuantity: parseDecimal('21.5'),
    totalAskQuantity: undefined,
    ...changes,
  };
}

export function gap(n: number, changes: Partial<Gap> = {}): Gap {
  return {
    kind: 'gap',
    exchange: 'upbit',
    symbol: `KRW-S${n % 7}`,
    channel: 'tick',
    from: START + BigInt(n) * MICRO,
    to: START + BigInt(n + 1) * MICRO,
    cause: 'RECONNECT',
    missed: 0n,
    missedVolume: undefined,
    detail: 'socket closed with 1006',
    ...changes,
  };
}

/** A record as producers hand it to the log. */
export interface TestEntry {
  readonly topic: string;
  readonly key: string;
  readonly value: Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
}

export function entryOf(event: MarketEvent): TestEntry {
  const { exchange, symbol, kind } = event;
  return { topic: EVENT_TOPICS[kind], key: symbol, value: encodeEvent(event), headers: { exchange } };
}

/** A record that no version decodes. */
export function undecodable(topic: string): TestEntry {
  return { topic, key: 'KRW-BTC', value: new Uint8Array([0xff, 0xff, 0xff]), headers: { exchange: 'upbit' } };
}
