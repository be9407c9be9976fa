import { describe, expect, it } from 'vitest';
import { compare, isSound, type Row } from './compare.ts';
import type { BookRecord, Records, TradeRecord } from './records.ts';

const trade = (id: string, change: Partial<TradeRecord> = {}): TradeRecord => ({
  symbol: 'KRW-BTC',
  id,
  price: 116_500_000,
  amount: 0.01,
  side: 'buy',
  timestamp: 1,
  ...change,
});
const book = (timestamp: number, amount = 0.5): BookRecord => ({
  symbol: 'KRW-BTC',
  timestamp,
  bids: [[116_500_000, amount]],
  asks: [[116_501_000, 0.1]],
});
const sent: Records = { trades: [trade('1'), trade('2'), trade('2', { snapshot: true })], books: [book(1), book(2)] };

function only(seen: Records): Row {
  const [row] = compare(sent, seen);
  if (row === undefined) throw new Error('no market was compared');
  return row;
}

describe('the comparison', () => {
  it('is content when every trade was seen, and the last book', () => {
    const row = only({ trades: sent.trades, books: [book(2)] });
    expect(row).toMatchObject({ trades: 2, seen: 2, books: 2, booksSeen: 1, lastBook: true });
    expect(isSound(row)).toBe(true);
  });

  it.each([
    ['missing', { trades: [trade('1')], books: sent.books }],
    ['unknown', { trades: [...sent.trades, trade('3')], books: sent.books }],
    ['altered', { trades: [trade('1', { price: 116_500_001 }), trade('2')], books: sent.books }],
    ['altered', { trades: [trade('1', { side: 'sell' }), trade('2')], books: sent.books }],
    ['doubled', { trades: [trade('1'), trade('1'), trade('2')], books: sent.books }],
    ['booksAltered', { trades: sent.trades, books: [book(1, 0.6), book(2)] }],
  ] as const)('counts what is %s', (fault, seen) => {
    const row = only(seen);
    expect(row[fault]).toBe(1);
    expect(isSound(row)).toBe(false);
  });

  it('is not content with an old book, nor with nothing at all', () => {
    expect(isSound(only({ trades: sent.trades, books: [book(2), book(1)] }))).toBe(false);
    expect(isSound(only({ trades: [], books: [] }))).toBe(false);
  });
});
