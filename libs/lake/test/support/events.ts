import type { LogEntry } from '@aipx/event-log';
import { parseDecimal, type Gap, type MarketEvent, type OrderBook, type Tick } from '@aipx/market-model';
import { encodeEvent, EVENT_TOPICS } from '@aipx/market-proto';

/** 2024-05-01T13:59:58Z: two seconds to the next hour. */
export const NEARLY_TWO = 1_714_571_998_000_000_000n;
export const SECOND = 1_000_000_000n;

export function tick(fields: Partial<Tick> = {}): Tick {
  return {
    kind: 'tick',
    exchange: 'upbit',
    symbol: 'KRW-BTC',
    price: parseDecimal('97000000'),
    volume: parseDecimal('0.00012345'),
    timestamp: NEARLY_TWO,
    change: parseDecimal('-1200000'),
    changeRate: parseDecimal('-0.0122'),
    side: 'BUY',
    tradeId: '17146259980000001',
    receivedTimestamp: NEARLY_TWO + 7_123_456n,
    streamType: 'REALTIME',
    ...fields,
  };
}

export function book(fields: Partial<OrderBook> = {}): OrderBook {
  return {
    kind: 'orderbook',
    exchange: 'upbit',
    symbol: 'KRW-BTC',
    bids: levels('96999000', '0.5', '96998000', '1.25'),
    asks: levels('97000000', '0.00000001'),
    timestamp: NEARLY_TWO,
    receivedTimestamp: NEARLY_TWO + 7_123_456n,
    streamType: 'REALTIME',
    totalBidQuantity: parseDecimal('1.75'),
    totalAskQuantity: parseDecimal('0.00000001'),
    ...fields,
  };
}

export function gap(fields: Partial<Gap> = {}): Gap {
  return {
    kind: 'gap',
    exchange: 'upbit',
    symbol: 'KRW-BTC',
    channel: 'tick',
    from: NEARLY_TWO,
    to: NEARLY_TWO + 5n * SECOND,
    cause: 'RECONNECT',
    missed: 3n,
    missedVolume: parseDecimal('1.5'),
    detail: 'closed with code 1006',
    ...fields,
  };
}

/** Prices and quantities in turn. */
export function levels(
  ...numbers: string[]
): { price: ReturnType<typeof parseDecimal>; quantity: ReturnType<typeof parseDecimal> }[] {
  return Array.from({ length: numbers.length / 2 }, (_, index) => ({
    price: parseDecimal(numbers[2 * index] ?? ''),
    quantity: parseDecimal(numbers[2 * index + 1] ?? ''),
  }));
}

export function entryOf(event: MarketEvent): LogEntry {
  return {
    topic: EVENT_TOPICS[event.kind],
    key: event.symbol,
    value: encodeEvent(event),
    headers: { exchange: event.exchange },
  };
}

/** A record that no version decodes. */
export function undecodable(topic: string): LogEntry {
  return { topic, key: 'KRW-BTC', value: new Uint8Array([0xff, 0xff, 0xff]), headers: { exchange: 'upbit' } };
}

/** Ticks a second apart, from two seconds before the hour on. */
export function ticks(count: number, secondsApart = 1n): Tick[] {
  return Array.from({ length: count }, (_, index) =>
    tick({ timestamp: NEARLY_TWO + BigInt(index) * secondsApart * SECOND, tradeId: String(index) }),
  );
}
