import { describe, expect, it } from 'vitest';
import { compare, compareVenues } from './compare.ts';
import type { AuditBook, AuditTick, Holdings } from './records.ts';

const tick: AuditTick = {
  symbol: 'KRW-BTC',
  id: '17877285547970001',
  price: '1.16539E8',
  volume: '0.00509799',
  side: 'BUY',
  time: '1787728554797',
  change: '-6E-8',
};
const book: AuditBook = {
  symbol: 'KRW-BTC',
  time: '1787728554797',
  bids: ['116538000 0.5', '116537000 1'],
  asks: ['116539000 7.9276E-4'],
  totalBid: '1.5',
  totalAsk: '7.9276E-4',
};
const sent: Holdings = { ticks: [tick], books: [book] };

function verdict(ticks: readonly AuditTick[], books: readonly AuditBook[], eachSending = false) {
  const { missing, extra, different } = compare('store', sent, { ticks, books }, eachSending);
  return { missing, extra, different };
}

describe('the auditor', () => {
  it('takes what is stored of a venue without frames for too much, and what is not stored of one with them for missing', () => {
    const frames = new Map([['kis', sent]]);
    expect(compareVenues('lake', frames, new Map([['upbit', sent]]), true)).toMatchObject([
      { store: 'lake kis', missing: 2, extra: 0 },
      { store: 'lake upbit', missing: 0, extra: 2 },
    ]);
  });

  it('finds numbers equal in any spelling', () => {
    const stored = { ...tick, price: '116539000.000000000000', change: '-0.00000006' };
    const storedBook = { ...book, asks: ['116539000 0.00079276'] };
    expect(verdict([stored], [storedBook])).toEqual({ missing: 0, extra: 0, different: 0 });
  });

  it.each([
    ['price', '116539000.000000000001'],
    ['volume', '0.0050980'],
    ['side', 'SELL'],
    ['time', '1787728554798'],
    ['change', ''],
  ])('names a trade whose %s differs', (field, value) => {
    expect(verdict([{ ...tick, [field]: value }], [book])).toEqual({ missing: 0, extra: 0, different: 1 });
  });

  it('takes an id that a double would merge for another trade', () => {
    expect(verdict([{ ...tick, id: '17877285547970000' }], [book])).toEqual({ missing: 1, extra: 1, different: 0 });
  });

  it.each([
    ['a level short', { bids: book.bids.slice(0, 1) }],
    ['levels in another order', { bids: book.bids.toReversed() }],
    ['another quantity', { asks: ['116539000 0.00079277'] }],
    ['another total', { totalBid: '1.50000001' }],
  ])('names a book with %s', (_, change) => {
    expect(verdict([tick], [{ ...book, ...change }])).toEqual({ missing: 0, extra: 0, different: 1 });
  });

  it('counts what is missing and what stands there twice', () => {
    expect(verdict([], [])).toEqual({ missing: 2, extra: 0, different: 0 });
    expect(verdict([tick, tick], [book, book])).toEqual({ missing: 0, extra: 2, different: 0 });
  });

  it('expects a trade that the venue sent twice once in the database, twice in the lake', () => {
    const twice: Holdings = { ticks: [tick, tick], books: [] };
    expect(compare('database', twice, { ticks: [tick], books: [] }, false)).toMatchObject({ missing: 0, extra: 0 });
    expect(compare('lake', twice, { ticks: [tick], books: [] }, true)).toMatchObject({ missing: 1, extra: 0 });
  });
});
