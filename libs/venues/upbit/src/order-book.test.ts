import { describe, expect, it } from 'vitest';
import {
  bookFrame,
  bookOf,
  FORMATS,
  listFrame,
  RECEIVED_AT,
  recordsOf,
  rejectionOf,
  withKeysReversed,
  type Unit,
} from '../test/driver-frames.js';

describe('upbit order books', () => {
  it.each(FORMATS)('read alike in format %s', (format) => {
    expect(bookOf(bookFrame(undefined, {}, format))).toEqual({
      kind: 'orderbook',
      exchange: 'upbit',
      symbol: 'KRW-BTC',
      bids: [
        { price: '116539000', quantity: '1' },
        { price: '116538000', quantity: '0.5' },
      ],
      asks: [
        { price: '116540000', quantity: '0.25' },
        { price: '116541000', quantity: '0.5' },
      ],
      timestamp: 1_790_134_742_106_000_000n,
      receivedTimestamp: RECEIVED_AT,
      streamType: 'SNAPSHOT',
      totalBidQuantity: '1.5',
      totalAskQuantity: '0.75',
    });
  });

  it('read alike whatever the order of the keys', () => {
    for (const format of ['DEFAULT', 'SIMPLE'] as const) {
      const frame = bookFrame(undefined, {}, format);
      expect(bookOf(withKeysReversed(frame))).toEqual(bookOf(frame));
    }
  });

  it('read numbers in every spelling, and compare them as numbers', () => {
    const units: readonly Unit[] = [
      ['9.9E-7', '7.9276E-4', '0.00000098', '9.101e-05'],
      ['0.00000100', '0.00077720', '9.0E-8', '6E-8'],
      ['1.16539E8', '123.00000000', '0.00000001', '1e3'],
    ];
    expect(bookOf(bookFrame(units))).toMatchObject({
      asks: [
        { price: '0.00000099', quantity: '0.00079276' },
        { price: '0.000001', quantity: '0.0007772' },
        { price: '116539000', quantity: '123' },
      ],
      bids: [
        { price: '0.00000098', quantity: '0.00009101' },
        { price: '0.00000009', quantity: '0.00000006' },
        { price: '0.00000001', quantity: '1000' },
      ],
    });
  });

  it('drop padding, price 0 or size 0, on either side and in any spelling', () => {
    const units: readonly Unit[] = [
      ['11', '1', '10', '1'],
      ['12', '2', '0', '0'],
      ['13', '0.00000000', '0E-8', '5'],
      ['0.0', '3', '8', '0'],
    ];
    expect(bookOf(bookFrame(units))).toMatchObject({
      asks: [
        { price: '11', quantity: '1' },
        { price: '12', quantity: '2' },
      ],
      bids: [{ price: '10', quantity: '1' }],
    });
  });

  it('may have an empty side, or two', () => {
    expect(bookOf(bookFrame([['11', '1', '0', '0']])).bids).toEqual([]);
    expect(bookOf(bookFrame([]))).toMatchObject({ bids: [], asks: [] });
  });

  it.each([1, 5, 15, 30])('may have %i levels a side', (depth) => {
    const units = Array.from({ length: depth }, (_, n): Unit => [`${100 + n}`, '1', `${99 - n}`, '1']);
    const { asks, bids } = bookOf(bookFrame(units));
    expect([asks.length, bids.length, asks.at(-1)?.price, bids.at(-1)?.price]).toEqual([
      depth,
      depth,
      `${99 + depth}`,
      `${100 - depth}`,
    ]);
  });

  it('keep the totals as printed and never sum them', () => {
    expect(
      bookOf(bookFrame(undefined, { total_ask_size: '25752275.55420627', total_bid_size: '3.0E-4' })),
    ).toMatchObject({
      totalAskQuantity: '25752275.55420627',
      totalBidQuantity: '0.0003',
    });
    const without = bookOf(bookFrame(undefined, { total_ask_size: undefined, total_bid_size: 'null' }));
    expect([without.totalAskQuantity, without.totalBidQuantity]).toEqual([undefined, undefined]);
  });

  it('have the time of the book, which for a quiet book’s snapshot is long ago', () => {
    expect(bookOf(bookFrame(undefined, { timestamp: '1790134599106' })).timestamp).toBe(1_790_134_599_106_000_000n);
  });

  it('keep a time in microseconds exactly: a value above 1e15 is no millisecond', () => {
    expect(bookOf(bookFrame(undefined, { timestamp: '1691530805062003' })).timestamp).toBe(1_691_530_805_062_003_000n);
  });

  it('tell the snapshot from real time', () => {
    expect(bookOf(bookFrame(undefined, { stream_type: '"REALTIME"' })).streamType).toBe('REALTIME');
    expect(bookOf(bookFrame(undefined, { stream_type: undefined })).streamType).toBeUndefined();
  });

  it('need nothing that a frame of 2021 did not have', () => {
    expect(bookOf(bookFrame(undefined, { level: undefined }))).toEqual(bookOf(bookFrame()));
  });

  it.each([
    [
      'asks that descend',
      [
        ['12', '1', '10', '1'],
        ['11', '1', '9', '1'],
      ],
      'ask 1 at 11 follows 12; asks must ascend',
    ],
    [
      'asks at one price',
      [
        ['12', '1', '10', '1'],
        ['12.0', '1', '9', '1'],
      ],
      'ask 1 at 12 follows 12; asks must ascend',
    ],
    [
      'bids that ascend',
      [
        ['11', '1', '9', '1'],
        ['12', '1', '10', '1'],
      ],
      'bid 1 at 10 follows 9; bids must descend',
    ],
    [
      'bids at one price',
      [
        ['11', '1', '9', '1'],
        ['12', '1', '9E0', '1'],
      ],
      'bid 1 at 9 follows 9; bids must descend',
    ],
    ['a price below zero', [['11', '1', '-9', '1']], 'bid 0 has price -9'],
    ['a size below zero', [['11', '-1', '9', '1']], 'ask 0 has price 11, quantity -1'],
  ] satisfies [string, Unit[], string][])('are rejected with symbol and channel for %s', (_fault, units, reason) => {
    expect(rejectionOf(bookFrame(units))).toMatchObject({
      symbol: 'KRW-BTC',
      channel: 'orderbook',
      error: { code: 'VALIDATION_ORDERBOOK', message: expect.stringContaining(reason) as string },
    });
  });

  it.each([
    [{ orderbook_units: undefined }, 'VALIDATION_FRAME', 'orderbook_units is absent; expected a list'],
    [{ orderbook_units: '{}' }, 'VALIDATION_FRAME', 'orderbook_units is an object; expected a list'],
    [{ orderbook_units: '[[1,2]]' }, 'VALIDATION_FRAME', 'a unit of orderbook_units is a list; expected an object'],
    [{ orderbook_units: '[null]' }, 'VALIDATION_FRAME', 'a unit of orderbook_units is null'],
    [{ orderbook_units: '[{"ap":1}]' }, 'VALIDATION_FRAME', 'bid_price is absent'],
    [{ timestamp: undefined }, 'VALIDATION_FRAME', 'timestamp is absent'],
    [{ timestamp: '"soon"' }, 'VALIDATION_TIME', 'timestamp: not a time: "soon"'],
    [{ total_ask_size: '"a lot"' }, 'VALIDATION_DECIMAL', 'total_ask_size: not a decimal: "a lot"'],
  ])('are rejected with the reason: %o', (fields, code, reason) => {
    expect(rejectionOf(bookFrame(undefined, fields))).toMatchObject({
      symbol: 'KRW-BTC',
      channel: 'orderbook',
      error: { code, message: expect.stringContaining(reason) as string },
    });
  });

  it('never cost their neighbours in a list anything', () => {
    const bad = bookFrame([
      ['12', '1', '10', '1'],
      ['11', '1', '9', '1'],
    ]);
    expect(recordsOf(listFrame(bookFrame(), bad, bookFrame())).map(({ outcome }) => outcome)).toEqual([
      'event',
      'rejected',
      'event',
    ]);
  });
});
