import type { SimulatedEvent } from '@aipx/venue/simulation';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UpbitMarket, type BookPayload, type Payload, type TradePayload } from './market.js';
import { PAIRS } from './pairs.js';
import { DEEPEST, gridOf } from './prices.js';

const START = 1_790_134_742_000;

function market(seed: number, now: () => number = () => START): UpbitMarket {
  let counter = 0;
  return new UpbitMarket({ seed, now, nextStamp: () => ({ millis: START, counter: counter++ }) });
}

const arbPair = fc.constantFrom(...PAIRS);
const arbSteps = fc.array(fc.constantFrom('tick' as const, 'orderbook' as const), { minLength: 1, maxLength: 300 });

function bookOf(event: SimulatedEvent): BookPayload {
  const payload = event.payload as Payload;
  if (payload.kind !== 'book') throw new Error('expected a book');
  return payload;
}

function tradeOf(event: SimulatedEvent): TradePayload {
  const payload = event.payload as Payload;
  if (payload.kind !== 'trade') throw new Error('expected a trade');
  return payload;
}

describe('a book', () => {
  it('has bids descending below asks ascending, every price on its tick, every size above zero and below 2^53', () => {
    fc.assert(
      fc.property(arbPair, fc.integer(), arbSteps, (pair, seed, steps) => {
        const walk = market(seed);
        for (const channel of steps) walk.next({ symbol: pair.code, channel });
        const { asks, bids, grid } = bookOf(walk.snapshot({ symbol: pair.code, channel: 'orderbook' }));
        const ladder = [...bids.prices.toReversed(), ...asks.prices];
        expect(ladder).toEqual([...new Set(ladder)].sort((a, b) => a - b));
        for (const price of ladder) expect(grid.below(grid.above(price))).toBe(price);
        for (const side of [asks, bids]) {
          expect(side.prices.length).toBe(side.sizes.length);
          expect(side.prices.length).toBeGreaterThan(0);
          expect(side.prices.length).toBeLessThanOrEqual(DEEPEST);
          expect(side.sizes.every((size) => size > 0)).toBe(true);
          expect(Number.isSafeInteger(side.sizes.reduce((sum, size) => sum + size, 0))).toBe(true);
        }
      }),
    );
  });

  it('stays within reach of the reference price, however long it walks', () => {
    for (const code of ['KRW-BTC', 'KRW-DOGE', 'BTC-CHZ']) {
      const walk = market(5);
      for (let step = 0; step < 50_000; step += 1)
        walk.next({ symbol: code, channel: step % 3 ? 'tick' : 'orderbook' });
      const { asks, bids, grid } = bookOf(walk.snapshot({ symbol: code, channel: 'orderbook' }));
      expect(bids.prices[0]).toBeGreaterThan(grid.reference / 2);
      expect(asks.prices[0]).toBeLessThan(grid.reference * 2);
    }
  });

  it('is thin and uneven on small BTC pairs', () => {
    const { asks, bids } = bookOf(market(1).snapshot({ symbol: 'BTC-DGB', channel: 'orderbook' }));
    expect(Math.max(asks.prices.length, bids.prices.length)).toBeLessThan(DEEPEST);
  });
});

describe('a trade', () => {
  it('is made at the best price it met, and the book then holds what it left', () => {
    fc.assert(
      fc.property(arbPair, fc.integer(), arbSteps, (pair, seed, steps) => {
        const walk = market(seed);
        for (const channel of steps) walk.next({ symbol: pair.code, channel });
        const trade = tradeOf(walk.next({ symbol: pair.code, channel: 'tick' }));
        expect(trade.bestBid).toBeLessThan(trade.bestAsk);
        expect(trade.price).toBe(trade.buy ? trade.bestAsk : trade.bestBid);
        const available = trade.buy ? trade.bestAskSize : trade.bestBidSize;
        expect(trade.size).toBeGreaterThan(0);
        expect(trade.size).toBeLessThanOrEqual(available);
        const { asks, bids } = bookOf(walk.snapshot({ symbol: pair.code, channel: 'orderbook' }));
        const [taken, other] = trade.buy ? [asks, bids] : [bids, asks];
        if (trade.size < available)
          expect([taken.prices[0], taken.sizes[0]]).toEqual([trade.price, available - trade.size]);
        else expect(taken.prices).not.toContain(trade.price);
        expect(other.prices[0]).toBe(trade.buy ? trade.bestBid : trade.bestAsk);
      }),
    );
  });

  it('has 17 digits of an id that its stream never repeats, and is the stream’s next snapshot', () => {
    const walk = market(3);
    const stream = { symbol: 'KRW-XRP', channel: 'tick' } as const;
    const ids = Array.from({ length: 500 }, () => tradeOf(walk.next(stream)).id);
    expect(ids.filter((id) => !/^\d{17}$/.test(id))).toEqual([]);
    expect(new Set(ids).size).toBe(500);
    const snapshot = walk.snapshot(stream);
    expect([snapshot.snapshot, snapshot.reference]).toEqual([true, ids.at(-1)]);
  });
});

describe('the market', () => {
  it('walks the same way for the same seed, whatever other pairs do', () => {
    const shape = (walk: UpbitMarket, step: number): unknown => {
      const stream = { symbol: 'KRW-SOL', channel: step % 2 === 0 ? ('tick' as const) : ('orderbook' as const) };
      const payload = walk.next(stream).payload as Payload;
      return payload.kind === 'trade'
        ? [payload.price, payload.size, payload.buy]
        : structuredClone([payload.asks, payload.bids]);
    };
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const [alone, beside] = [market(seed), market(seed, () => START + 5_000)];
        for (let step = 0; step < 100; step += 1) {
          beside.next({ symbol: 'BTC-ETH', channel: 'tick' });
          expect(shape(beside, step)).toEqual(shape(alone, step));
        }
      }),
      { numRuns: 20 },
    );
  });

  it('walks differently for another seed', () => {
    const prices = (seed: number): unknown =>
      bookOf(market(seed).snapshot({ symbol: 'KRW-BTC', channel: 'orderbook' })).bids;
    expect(prices(1)).not.toEqual(prices(2));
  });

  it('never lets a time go back when the clock does', () => {
    const clock = [START + 500, START + 900, START, START + 100, START + 1000];
    const walk = market(1, () => clock.shift() ?? START);
    const times = ['tick', 'orderbook', 'tick', 'orderbook'].map((channel) => {
      const payload = walk.next({ symbol: 'KRW-BTC', channel: channel as 'tick' | 'orderbook' }).payload as Payload;
      return payload.kind === 'trade' ? payload.publishedAt : payload.changedAt;
    });
    expect(times).toEqual([START + 900, START + 900, START + 900, START + 1000]);
  });
});

describe('the grid', () => {
  it.each([
    ['KRW-BTC', 116_500_000, 1_000],
    ['KRW-BCH', 742_500, 500],
    ['KRW-AVAX', 22_300, 10],
    ['KRW-UNI', 8_125, 5],
    ['KRW-DOGE', 163, 1],
    ['KRW-CHZ', 47.8, 0.1],
    ['KRW-SHIB', 0.0115, 0.0001],
    ['BTC-ETH', 0.0304721, 0.00000001],
    ['USDT-BTC', 83_095.57, 0.01],
  ])('of %s has the reference %d and the tick %d', (code, reference, tick) => {
    const pair = PAIRS.find((one) => one.code === code);
    if (pair === undefined) throw new Error(code);
    const grid = gridOf(pair);
    const unit = 10 ** grid.priceDecimals;
    expect(grid.reference / unit).toBe(reference);
    expect((grid.above(grid.reference) - grid.reference) / unit).toBe(tick);
  });

  it('changes its tick where the venue’s table does', () => {
    const doge = PAIRS.find((one) => one.code === 'KRW-DOGE');
    if (doge === undefined) throw new Error('KRW-DOGE');
    const { above, below } = gridOf(doge);
    const won = 10 ** 8;
    expect([above(5_000 * won), below(5_000 * won)]).toEqual([5_005 * won, 4_999 * won]);
    expect([above(10 * won), below(10 * won)]).toEqual([10.1 * won, 9.99 * won]);
  });

  it('lists some two hundred pairs of three quotes, each once, those subscribed by default among them', () => {
    const codes = PAIRS.map(({ code }) => code);
    expect(codes.length).toBeGreaterThan(200);
    expect(new Set(codes).size).toBe(codes.length);
    expect(new Set(PAIRS.map(({ quote }) => quote))).toEqual(new Set(['KRW', 'BTC', 'USDT']));
  });
});
