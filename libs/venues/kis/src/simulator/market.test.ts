import type { SimulatedEvent, SimulatedMarket, SimulatedRecord, SimulatedStream } from '@aipx/venue/simulation';
import { describe, expect, it } from 'vitest';
import type { BookFacts } from './book-frame.js';
import type { Payload } from './market.js';
import { above, below, limitsOf } from './prices.js';
import type { KisSimulatorSettings } from './settings.js';
import type { TradeFacts } from './trade-frame.js';
import { createKisSimulator } from './venue.js';

/** A market of 2026-11-23, a Monday, whose clock a test moves. */
class Day {
  readonly market: SimulatedMarket;
  #wall = 0;

  constructor(from: string, settings: KisSimulatorSettings = {}, seed = 1) {
    const day = { date: '20261123', from, speed: 1 };
    const venue = createKisSimulator({ halts: [], day, wall: () => this.#wall, ...settings });
    this.market = venue.market({ seed, now: Date.now, nextStamp: () => ({ millis: 0, counter: 0 }) });
  }

  pass(seconds: number): void {
    this.#wall += seconds * 1000;
  }

  next(symbol: string, segment = 'KRX'): readonly TradeFacts[] | undefined {
    const event = this.event({ symbol, channel: 'tick', segment });
    return event && trades(event);
  }

  book(symbol: string, segment = 'KRX'): BookFacts | undefined {
    const event = this.event({ symbol, channel: 'orderbook', segment });
    const payload = event?.payload as Payload | undefined;
    return payload?.kind === 'book' ? payload.book : undefined;
  }

  event(stream: SimulatedStream): SimulatedEvent | undefined {
    return this.market.next(stream);
  }

  /** Every trade frame of a stretch, asked for every few seconds. */
  play(symbol: string, seconds: number, every = 7): SimulatedEvent[] {
    const events: SimulatedEvent[] = [];
    for (let passed = 0; passed < seconds; passed += every) {
      const event = this.event({ symbol, channel: 'tick', segment: 'KRX' });
      if (event !== undefined) events.push(event);
      this.event({ symbol, channel: 'orderbook', segment: 'KRX' });
      this.pass(every);
    }
    return events;
  }
}

function trades({ payload }: SimulatedEvent): readonly TradeFacts[] {
  const { kind } = payload as Payload;
  return kind === 'trades' ? (payload as Extract<Payload, { kind: 'trades' }>).trades : [];
}

const WHOLE_DAY_SECONDS = 13 * 3600;

describe('a simulated day', () => {
  it.each(['005930', '207940', '001470', '0193T0'])('keeps the invariants of the captures for %s', (symbol) => {
    const all = new Day('080000').play(symbol, WHOLE_DAY_SECONDS, 20).flatMap(trades);
    expect(all.length).toBeGreaterThan(1_500);
    let volume = 0;
    let turnover = 0;
    for (const { price, size, totals, ask, bid, previousClose } of all) {
      volume += size;
      turnover += price * size;
      expect(totals).toMatchObject({ volume, turnover });
      expect(size).toBeGreaterThan(0);
      expect(totals.low.price).toBeLessThanOrEqual(price);
      expect(totals.high.price).toBeGreaterThanOrEqual(price);
      expect(totals.buyVolume + totals.sellVolume).toBeLessThan(totals.volume);
      expect(bid.price).toBeLessThan(ask.price);
      expect(below(above(price))).toBe(price);
      const { upper, lower } = limitsOf(previousClose);
      expect(price).toBeGreaterThanOrEqual(lower);
      expect(price).toBeLessThanOrEqual(upper);
    }
    expect(all.at(-1)?.totals.open.price).toBe(all[0]?.price);
    expect(new Set(all.map(({ marketClass }) => marketClass))).toEqual(new Set(['2', '3', '5']));
  });

  it('opens with one trade of the auction and a burst behind it, all in one second', () => {
    const day = new Day('085959');
    expect(day.next('005930')).toBeUndefined();
    expect(day.book('005930')).toMatchObject({ hourClass: 'B', marketClass: '1' });
    day.pass(1);
    const burst = day.next('005930') ?? [];
    expect(burst.length).toBeGreaterThan(10);
    expect(new Set(burst.map(({ time }) => time))).toEqual(new Set(['090000']));
    expect(burst.map(({ side }) => side === '3')).toEqual(burst.map((_, at) => at === 0));
    expect(burst[0]?.size).toBe(burst[0]?.totals.volume);
  });

  it('has an expected price in auctions only, and minus a hundred percent outside of them', () => {
    const day = new Day('152500');
    expect(day.next('005930')).toBeUndefined();
    const auction = day.book('005930');
    expect(auction).toMatchObject({ hourClass: 'A', expected: { price: expect.any(Number) as number } });
    expect(auction).toMatchObject({ totalAsk: 0, totalBid: 0 });
    expect(auction?.asks).toHaveLength(3);
    expect(new Day('100000').book('005930')?.expected).toBeUndefined();
  });

  it('ends with one print, trades at the close, and the after-market for all but funds', () => {
    const day = new Day('151000');
    day.next('005930');
    day.next('069500');
    day.pass(20 * 60);
    const print = day.next('005930');
    expect(print).toHaveLength(1);
    expect(print?.[0]).toMatchObject({ time: '153000', side: '3' });
    expect(day.next('005930')).toBeUndefined();
    day.pass(10 * 60);
    expect(day.next('005930')?.[0]).toMatchObject({ marketClass: '5', operation: '31', price: print?.[0]?.price });
    day.pass(20 * 60);
    expect(day.next('005930')?.[0]).toMatchObject({ time: '160000', marketClass: '3' });
    expect(day.next('069500')).toBeUndefined();
    day.pass(4 * 3600);
    expect(day.next('005930')).toBeUndefined();
    expect(day.book('005930')).toBeUndefined();
  });

  it('begins the next day anew, on the last close', () => {
    const day = new Day('193000');
    const last = day.next('005930')?.at(-1);
    day.pass(13.5 * 3600);
    expect(day.next('005930')?.[0]).toMatchObject({
      date: '20261124',
      previousClose: last?.price,
      totals: { sellCount: 0, buyCount: 0 },
    });
  });

  it('has opened long ago for who begins to listen in the middle of it', () => {
    const first = new Day('140000').next('005930')?.[0];
    expect(first?.totals.open.time).toBe('090000');
    expect(first?.totals.volume).toBeGreaterThan(first?.size ?? 0);
  });
});

describe('a halt', () => {
  it('by volatility is an auction in the middle of the session, with a print at its end', () => {
    const halts = [{ code: '005930', from: '100000', to: '100200', kind: 'vi' }] as const;
    const day = new Day('095900', { halts });
    day.next('005930');
    day.pass(90);
    expect(day.next('005930')).toBeUndefined();
    expect(day.book('005930')).toMatchObject({ hourClass: 'C', expected: { size: expect.any(Number) as number } });
    expect(day.next('000660')).toBeDefined();
    day.pass(90);
    expect(day.next('005930')?.[0]).toMatchObject({ side: '3', time: '100200' });
    expect(day.next('005930')?.[0]?.side).not.toBe('3');
  });

  it('of trading silences trades and books', () => {
    const halts = [{ code: '005930', from: '100000', to: '110000', kind: 'halt' }] as const;
    const day = new Day('103000', { halts });
    expect(day.next('005930')).toBeUndefined();
    expect(day.book('005930')).toBeUndefined();
  });
});

describe('the segments', () => {
  it('keep hours of their own: NXT and the unified market trade from eight', () => {
    const day = new Day('081500');
    expect(day.next('005930', 'NXT')?.[0]).toMatchObject({ marketClass: '1' });
    expect(day.next('005930', 'UN')?.[0]).toMatchObject({ marketClass: '1' });
    expect(day.next('005930', 'KRX')).toBeUndefined();
  });
});

describe('a market', () => {
  it('is the same for the same seed and clock, and another for another seed', () => {
    const play = (seed: number): unknown => new Day('090000', {}, seed).play('005930', 600).flatMap(trades);
    expect(play(1)).toEqual(play(1));
    expect(play(1)).not.toEqual(play(2));
  });

  it('writes down every record with its cumulative volume, those left out and those repeated too', () => {
    const events = new Day('090000', { lossShare: 0.05, repeatShare: 0.05 }).play('005930', 6_000);
    const records = events.flatMap((event) => event.records ?? []);
    const fates = (wanted: SimulatedRecord['fate']): readonly SimulatedRecord[] =>
      records.filter(({ fate }) => fate === wanted);
    expect(fates('lost').length).toBeGreaterThan(10);
    expect(fates('repeated').length).toBeGreaterThan(10);
    let cumulative = 0;
    for (const record of records.filter(({ fate }) => fate !== 'repeated')) {
      cumulative += record.volume;
      expect(record).toMatchObject({ cumulative, reference: `KRX-20261123-${cumulative}` });
    }
    const onWire = events.flatMap(trades).map(({ totals }) => totals.volume);
    expect(onWire).toEqual(records.filter(({ fate }) => fate !== 'lost').map((record) => record.cumulative));
  });

  it('never rests when no day is played', () => {
    const venue = createKisSimulator({ wall: () => Date.UTC(2026, 10, 22, 18) });
    const market = venue.market({ seed: 1, now: Date.now, nextStamp: () => ({ millis: 0, counter: 0 }) });
    const event = market.next({ symbol: '069500', channel: 'tick' });
    expect(event && trades(event)[0]).toMatchObject({ date: '20261123', time: '030000', marketClass: '2' });
  });

  it('lists more issues than a session may register', () => {
    expect(createKisSimulator().symbols.length).toBeGreaterThan(41);
  });
});
