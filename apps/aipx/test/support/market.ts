import type { LogEntry } from '@aipx/event-log';
import { parseDecimal } from '@aipx/market-model';
import { book, entryOf, tick } from '@aipx/market-proto/testing';

/** 2024-05-01T13:59:50Z: ten seconds to the next hour. */
const START = 1_714_571_990_000_000_000n;
const SECOND = 1_000_000_000n;
const SYMBOLS = ['KRW-BTC', 'KRW-ETH', 'BTC-ETH'];

/** Trades and books in turn, a second apart, over an hour's end. */
export function market(count: number): LogEntry[] {
  return Array.from({ length: count }, (_, n) => entryOf(n % 2 === 0 ? trade(n) : snapshot(n)));
}

function trade(n: number) {
  const timestamp = START + BigInt(n) * SECOND;
  const price = parseDecimal(`${97_000_000 + n}.5`);
  return tick(n, { symbol: SYMBOLS[n % 3] ?? '', price, volume: parseDecimal('0.00012345'), timestamp });
}

function snapshot(n: number) {
  return book(n, { symbol: SYMBOLS[n % 3] ?? '', timestamp: START + BigInt(n) * SECOND });
}
