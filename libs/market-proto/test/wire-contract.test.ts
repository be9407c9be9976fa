import type { Gap, MarketEvent, OrderBook, Tick } from '@aipx/market-model';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeEvent, encodeEvent, EVENT_SCHEMAS, EVENT_TOPICS, kindOfTopic } from '../src/index.js';
import { wire, type WireField } from './wire.js';

/** Field by field, under the numbers that the contract fixes. */
const TICK: readonly WireField[] = [
  [1, 'KRW-BTC'],
  [2, '116539000.5'],
  [3, '0.00000001'],
  [4, 1_618_678_262_000_000_000n],
  [5, '-1000'],
  [6, '0.0191'],
  [7, 'upbit'],
  [8, 2n],
  [9, '17877285547970001'],
  [10, 1_618_678_262_123_456_789n],
  [11, 1n],
];
const BOOK: readonly WireField[] = [
  [1, 'KRW-BTC'],
  [2, wire([1, '100'], [2, '0.5'])],
  [2, wire([1, '99.9'], [2, '12'])],
  [3, wire([1, '100.1'], [2, '7'])],
  [4, 1_618_678_262_000_000_000n],
  [5, 'upbit'],
  [6, 1_618_678_262_123_456_789n],
  [7, 2n],
  [8, '12.5'],
  [9, '7'],
];
const GAP: readonly WireField[] = [
  [1, 'upbit'],
  [2, 'KRW-BTC'],
  [3, 2n],
  [4, 1_618_678_262_000_000_000n],
  [5, 1_618_678_263_000_000_000n],
  [6, 1n],
  [7, 17n],
  [9, 'code 1006'],
  [10, '0.25'],
];

const without = (fields: readonly WireField[], number: number) => wire(...fields.filter(([own]) => own !== number));
const replacing = (fields: readonly WireField[], number: number, value: WireField[1]) =>
  wire(...fields.map((field): WireField => (field[0] === number ? [number, value] : field)));

describe('the wire contract', () => {
  it('reads and writes a tick under its numbers', () => {
    const event: MarketEvent = {
      kind: 'tick',
      exchange: 'upbit',
      symbol: 'KRW-BTC',
      price: '116539000.5' as Tick['price'],
      volume: '0.00000001' as Tick['volume'],
      timestamp: 1_618_678_262_000_000_000n,
      change: '-1000' as Tick['change'],
      changeRate: '0.0191' as Tick['changeRate'],
      side: 'SELL',
      tradeId: '17877285547970001',
      receivedTimestamp: 1_618_678_262_123_456_789n,
      streamType: 'SNAPSHOT',
    };
    expect(decodeEvent('tick', wire(...TICK))).toStrictEqual(event);
    expect(hex(encodeEvent(event))).toBe(hex(wire(...TICK)));
  });

  it('reads and writes a book under its numbers', () => {
    const book = decodeEvent('orderbook', wire(...BOOK)) as OrderBook;
    expect(book).toStrictEqual({
      kind: 'orderbook',
      exchange: 'upbit',
      symbol: 'KRW-BTC',
      bids: [
        { price: '100', quantity: '0.5' },
        { price: '99.9', quantity: '12' },
      ],
      asks: [{ price: '100.1', quantity: '7' }],
      timestamp: 1_618_678_262_000_000_000n,
      receivedTimestamp: 1_618_678_262_123_456_789n,
      streamType: 'REALTIME',
      totalBidQuantity: '12.5',
      totalAskQuantity: '7',
    });
    expect(hex(encodeEvent(book))).toBe(hex(wire(...BOOK)));
  });

  it('reads and writes a gap under its numbers', () => {
    const gap = decodeEvent('gap', wire(...GAP)) as Gap;
    expect(gap).toStrictEqual({
      kind: 'gap',
      exchange: 'upbit',
      symbol: 'KRW-BTC',
      channel: 'orderbook',
      from: 1_618_678_262_000_000_000n,
      to: 1_618_678_263_000_000_000n,
      cause: 'RECONNECT',
      missed: 17n,
      missedVolume: '0.25',
      detail: 'code 1006',
    });
    expect(hex(encodeEvent(gap))).toBe(hex(wire(...GAP)));
  });

  it('gives every word of every enum its number', () => {
    const read = (
      kind: MarketEvent['kind'],
      fields: readonly WireField[],
      number: number,
      name: string,
      words: number,
    ) =>
      Array.from({ length: words }, (_, n) => {
        const event = decodeEvent(kind, replacing(fields, number, BigInt(n)));
        // Encoding it again writes the number it was read from; 0 is not written at all.
        expect(hex(encodeEvent(event))).toBe(
          hex(n === 0 ? without(fields, number) : replacing(fields, number, BigInt(n))),
        );
        return (event as unknown as Record<string, unknown>)[name];
      });
    expect(read('tick', TICK, 8, 'side', 3)).toEqual([undefined, 'BUY', 'SELL']);
    expect(read('tick', TICK, 11, 'streamType', 3)).toEqual([undefined, 'SNAPSHOT', 'REALTIME']);
    expect(read('orderbook', BOOK, 7, 'streamType', 3)).toEqual([undefined, 'SNAPSHOT', 'REALTIME']);
    expect(read('gap', GAP, 3, 'channel', 3)).toEqual([undefined, 'tick', 'orderbook']);
    expect(read('gap', GAP, 6, 'cause', 7)).toEqual([
      undefined,
      'RECONNECT',
      'SEQUENCE',
      'BUFFER',
      'UNDECODABLE',
      'STALE',
      'RETENTION',
    ]);
  });

  it('takes an enum’s number that it does not know for absent', () => {
    for (const unknown of [99n, -1n, 2_147_483_647n]) {
      expect(decodeEvent('tick', replacing(TICK, 8, unknown))).toHaveProperty('side', undefined);
      expect(decodeEvent('tick', replacing(TICK, 11, unknown))).toHaveProperty('streamType', undefined);
      expect(decodeEvent('orderbook', replacing(BOOK, 7, unknown))).toHaveProperty('streamType', undefined);
      expect(decodeEvent('gap', replacing(GAP, 3, unknown))).toHaveProperty('channel', undefined);
      expect(decodeEvent('gap', replacing(GAP, 6, unknown))).toHaveProperty('cause', undefined);
    }
  });

  it.each([
    [1, 'VALIDATION_TICK', /symbol is empty/],
    [2, 'VALIDATION_RECORD', /TickData.price is ""/],
    [3, 'VALIDATION_RECORD', /TickData.volume is ""/],
    [4, 'VALIDATION_TICK', /time 0 is not after 1970/],
    [7, 'VALIDATION_RECORD', /TickData.exchange is empty/],
    [9, 'VALIDATION_TICK', /trade id is empty/],
  ])('refuses a tick without field %i as %s', (number, code, message) => {
    expect(() => decodeEvent('tick', without(TICK, number))).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(message) as string }) as Error,
    );
  });

  it.each([
    [1, 'VALIDATION_ORDERBOOK', /symbol is empty/],
    [4, 'VALIDATION_ORDERBOOK', /time 0 is not after 1970/],
    [5, 'VALIDATION_RECORD', /OrderBook.exchange is empty/],
  ])('refuses a book without field %i as %s', (number, code, message) => {
    expect(() => decodeEvent('orderbook', without(BOOK, number))).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(message) as string }) as Error,
    );
  });

  it('takes what a venue does not print for absent, never for 0', () => {
    const tick = decodeEvent('tick', wire(...TICK.filter(([number]) => ![5, 6, 8, 11].includes(number))));
    expect(tick).toMatchObject({ change: undefined, changeRate: undefined, side: undefined, streamType: undefined });
    const book = decodeEvent('orderbook', wire([1, 'KRW-BTC'], [4, 1n], [5, 'upbit']));
    expect(book).toMatchObject({ bids: [], asks: [], totalBidQuantity: undefined, totalAskQuantity: undefined });
    expect(decodeEvent('gap', new Uint8Array())).toStrictEqual({
      kind: 'gap',
      exchange: '',
      symbol: '',
      channel: undefined,
      from: 0n,
      to: 0n,
      cause: undefined,
      missed: 0n,
      missedVolume: undefined,
      detail: '',
    });
  });

  it.each(['1.0', '1e5', '+1', '-0', '01', '.5', '5.', '1,000', ' 1', 'NaN', '１'])(
    'refuses %j where decimal text is due: nobody after it normalises',
    (text) => {
      for (const number of [2, 3, 5, 6]) {
        expect(() => decodeEvent('tick', replacing(TICK, number, text))).toThrow(
          expect.objectContaining({ code: 'VALIDATION_RECORD' }) as Error,
        );
      }
      expect(() => decodeEvent('orderbook', replacing(BOOK, 3, wire([1, text], [2, '1'])))).toThrow(/Level.price/);
      expect(() => decodeEvent('gap', replacing(GAP, 10, text))).toThrow(/Gap.missed_volume/);
    },
  );

  it('refuses more digits than any store takes, and does not repeat them all', () => {
    fc.assert(
      fc.property(fc.integer({ min: 129, max: 200_000 }), (digits) => {
        expect(() => decodeEvent('tick', replacing(TICK, 2, '9'.repeat(digits)))).toThrow(
          expect.objectContaining({
            code: 'VALIDATION_RECORD',
            message: expect.stringMatching(/^.{1,200}$/) as string,
          }) as Error,
        );
      }),
      { numRuns: 20 },
    );
  });

  it('refuses price and volume that are not above 0, and levels out of order', () => {
    for (const value of ['0', '-1']) {
      for (const number of [2, 3])
        expect(() => decodeEvent('tick', replacing(TICK, number, value))).toThrow(/not above 0/);
    }
    const bids = (...prices: readonly string[]) =>
      wire([1, 'KRW-BTC'], [4, 1n], [5, 'upbit'], ...prices.map((price): WireField => [2, wire([1, price], [2, '1'])]));
    expect(() => decodeEvent('orderbook', bids('1', '2'))).toThrow(/bids must descend/);
    expect(() => decodeEvent('orderbook', bids('1', '1'))).toThrow(/bids must descend/);
    expect(() => decodeEvent('orderbook', bids('2', '0'))).toThrow(/bid 1 has price 0/);
  });

  it('names a topic and a message for each kind, and no kind for any other topic', () => {
    expect(EVENT_TOPICS).toEqual({ tick: 'market.tick', orderbook: 'market.orderbook', gap: 'market.gap' });
    expect(EVENT_SCHEMAS).toEqual({
      tick: 'aipx.market.v1.TickData',
      orderbook: 'aipx.market.v1.OrderBook',
      gap: 'aipx.market.v1.Gap',
    });
    for (const [kind, topic] of Object.entries(EVENT_TOPICS)) expect(kindOfTopic(topic)).toBe(kind);
    for (const topic of ['market.dlq', '', 'tick', 'constructor']) {
      expect(() => kindOfTopic(topic)).toThrow(expect.objectContaining({ code: 'VALIDATION_RECORD' }) as Error);
    }
  });
});

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
