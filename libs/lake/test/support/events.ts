import type { Gap, OrderBook, Tick } from '@aipx/market-model';
import * as nth from '@aipx/market-proto/testing';

/** 2024-05-01T13:59:58Z: two seconds to the next hour. */
export const NEARLY_TWO = 1_714_571_998_000_000_000n;
export const SECOND = 1_000_000_000n;

const TIMES = { timestamp: NEARLY_TWO, receivedTimestamp: NEARLY_TWO + 7_123_456n };

export function tick(fields: Partial<Tick> = {}): Tick {
  return nth.tick(0, { ...TIMES, ...fields });
}

export function book(fields: Partial<OrderBook> = {}): OrderBook {
  return nth.book(0, { ...TIMES, ...fields });
}

export function gap(fields: Partial<Gap> = {}): Gap {
  return nth.gap(0, { from: NEARLY_TWO, to: NEARLY_TWO + 5n * SECOND, ...fields });
}

/** Ticks a second apart, from two seconds before the hour on. */
export function ticks(count: number, secondsApart = 1n): Tick[] {
  return Array.from({ length: count }, (_, index) =>
    tick({ timestamp: NEARLY_TWO + BigInt(index) * secondsApart * SECOND, tradeId: String(index) }),
  );
}
