import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseDecimal } from './decimal.js';
import type { Level, OrderBook, Tick } from './event.js';
import { isPadding, validOrderBook, validTick } from './validity.js';

const tick: Tick = {
  kind: 'tick',
  exchange: 'upbit',
  symbol: 'KRW-BTC',
  price: parseDecimal('109847000'),
  volume: parseDecimal('0.00509799'),
  timestamp: 1_787_728_554_797_000_000n,
  change: undefined,
  changeRate: undefined,
  side: undefined,
  tradeId: '17877285547970000',
  receivedTimestamp: 1_787_728_554_900_000_000n,
  streamType: undefined,
};
const level = (price: string, quantity = '1'): Level => ({
  price: parseDecimal(price),
  quantity: parseDecimal(quantity),
});
const book: OrderBook = {
  kind: 'orderbook',
  exchange: 'upbit',
  symbol: 'KRW-BTC',
  bids: [level('99.5'), level('99'), level('9.9')],
  asks: [level('100'), level('100.5'), level('1000')],
  timestamp: 1_787_728_554_797_000_000n,
  receivedTimestamp: 1_787_728_554_900_000_000n,
  streamType: undefined,
  totalBidQuantity: undefined,
  totalAskQuantity: undefined,
};

describe('validTick', () => {
  it('passes a tick whose optional fields are all absent', () => {
    expect(validTick(tick)).toBe(tick);
  });

  it.each([
    ['symbol is empty', { symbol: '' }],
    ['trade id is empty', { tradeId: '' }],
    ['time 0 is not after 1970', { timestamp: 0n }],
    ['price 0 is not above 0', { price: parseDecimal('0.0') }],
    ['price -1 is not above 0', { price: parseDecimal('-1') }],
    ['volume 0 is not above 0', { volume: parseDecimal('0') }],
    ['volume -0.5 is not above 0', { volume: parseDecimal('-0.5') }],
  ])('refuses: %s', (fault, change) => {
    expect(() => validTick({ ...tick, ...change })).toThrow(
      expect.objectContaining({ code: 'VALIDATION_TICK', message: expect.stringContaining(fault) as string }),
    );
  });
});

describe('validOrderBook', () => {
  it('passes bids that descend and asks that ascend, compared as numbers and not as texts', () => {
    expect(validOrderBook(book)).toBe(book);
  });

  it('passes an empty side, an empty book and a crossed book: those are the venue’s business', () => {
    expect(() => validOrderBook({ ...book, asks: [] })).not.toThrow();
    expect(() => validOrderBook({ ...book, asks: [], bids: [] })).not.toThrow();
    expect(() => validOrderBook({ ...book, asks: [level('1')] })).not.toThrow();
  });

  it.each([
    ['symbol is empty', { symbol: '' }],
    ['time -1 is not after 1970', { timestamp: -1n }],
    ['bid 1 at 100 follows 99; bids must descend', { bids: [level('99'), level('100')] }],
    ['bid 1 at 99 follows 99; bids must descend', { bids: [level('99'), level('99.0')] }],
    ['ask 2 at 9 follows 10; asks must ascend', { asks: [level('8'), level('10'), level('9')] }],
    ['ask 1 at 10 follows 10; asks must ascend', { asks: [level('10'), level('10')] }],
    ['ask 0 has price 10, quantity 0', { asks: [level('10', '0')] }],
    ['bid 0 has price 0, quantity 1', { bids: [level('0')] }],
    ['bid 0 has price 1, quantity -1', { bids: [level('1', '-1')] }],
  ])('refuses: %s', (fault, change) => {
    expect(() => validOrderBook({ ...book, ...change })).toThrow(
      expect.objectContaining({ code: 'VALIDATION_ORDERBOOK', message: expect.stringContaining(fault) as string }),
    );
  });

  it('passes exactly the books that are strictly sorted', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 30 }), { maxLength: 6 }), (prices) => {
        const levels = prices.map((price) => level(String(price)));
        const ascending = prices.every((price, index) => index === 0 || price > (prices[index - 1] ?? 0));
        const passes = (change: Partial<OrderBook>): boolean => {
          try {
            return validOrderBook({ ...book, ...change }).kind === 'orderbook';
          } catch {
            return false;
          }
        };
        expect(passes({ asks: levels })).toBe(ascending);
        expect(passes({ bids: levels.toReversed() })).toBe(ascending);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('isPadding', () => {
  it('is a level of price 0 or quantity 0', () => {
    const [zero, one] = [parseDecimal('0.000'), parseDecimal('1')];
    expect([isPadding(zero, zero), isPadding(zero, one), isPadding(one, zero), isPadding(one, one)]).toEqual([
      true,
      true,
      true,
      false,
    ]);
  });
});
