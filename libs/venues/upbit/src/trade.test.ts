import { describe, expect, it } from 'vitest';
import {
  FORMATS,
  listFrame,
  RECEIVED_AT,
  recordsOf,
  rejectionOf,
  tickOf,
  tradeFrame,
  withKeysReversed,
} from '../test/driver-frames.js';

describe('upbit trades', () => {
  it.each(FORMATS)('read alike in format %s', (format) => {
    expect(tickOf(tradeFrame({}, format))).toEqual({
      kind: 'tick',
      exchange: 'upbit',
      symbol: 'KRW-BTC',
      price: '116539000',
      volume: '0.001523',
      timestamp: 1_790_134_741_950_000_000n,
      change: '1539000',
      changeRate: undefined,
      side: 'BUY',
      tradeId: '17901347419500001',
      receivedTimestamp: RECEIVED_AT,
      streamType: 'REALTIME',
    });
  });

  it('read alike whatever the order of the keys', () => {
    for (const format of ['DEFAULT', 'SIMPLE'] as const) {
      expect(tickOf(withKeysReversed(tradeFrame({}, format)))).toEqual(tickOf(tradeFrame({}, format)));
    }
  });

  it('keep ids beyond 2^53 apart, digit for digit', () => {
    const ids = [
      '17901347419500000',
      '17901347419500001',
      '17901347419500002',
      '17901347419500003',
      '36028797018963969',
    ];
    expect(ids.map((id) => tickOf(tradeFrame({ sequential_id: id })).tradeId)).toEqual(ids);
  });

  it('take an id as unique within its code only: the same id on two codes is two trades', () => {
    const ticks = ['KRW-BTC', 'BTC-ETH'].map((code) => tickOf(tradeFrame({ code: `"${code}"` })));
    expect(ticks.map(({ symbol, tradeId }) => [symbol, tradeId])).toEqual([
      ['KRW-BTC', '17901347419500001'],
      ['BTC-ETH', '17901347419500001'],
    ]);
  });

  it('pass in the order they arrive, also when id and execution time go back', () => {
    const late = tradeFrame({ sequential_id: '17901347419400000', trade_timestamp: '1790134741940' });
    expect([tradeFrame(), late].map((frame) => tickOf(frame).tradeId)).toEqual([
      '17901347419500001',
      '17901347419400000',
    ]);
  });

  it('have the time of execution, not of publication, and not the one in the id', () => {
    const frame = tradeFrame({
      timestamp: '1618678262712',
      trade_timestamp: '1618678262000',
      sequential_id: '1618678999000003',
    });
    expect(tickOf(frame).timestamp).toBe(1_618_678_262_000_000_000n);
  });

  it('keep a time in microseconds exactly: a value above 1e15 is no millisecond', () => {
    expect(tickOf(tradeFrame({ trade_timestamp: '1691530805062001' })).timestamp).toBe(1_691_530_805_062_001_000n);
  });

  it.each([
    ['1.16539E8', '116539000'],
    ['9.101e-05', '0.00009101'],
    ['6E-8', '0.00000006'],
    ['7.9276E-4', '0.00079276'],
    ['123.00000000', '123'],
    ['0.00077720', '0.0007772'],
    ['127.0', '127'],
    ['25752275.55420627', '25752275.55420627'],
    ['0.12345678901234567890', '0.1234567890123456789'],
  ])('read a price or volume spelled %s as %s', (spelled, expected) => {
    expect(tickOf(tradeFrame({ trade_price: spelled })).price).toBe(expected);
    expect(tickOf(tradeFrame({ trade_volume: spelled })).volume).toBe(expected);
  });

  it('name the taker’s side: ASK hit the bid and is a sell', () => {
    expect(tickOf(tradeFrame({ ask_bid: '"ASK"' })).side).toBe('SELL');
    expect(tickOf(tradeFrame({ ask_bid: '"BID"' })).side).toBe('BUY');
    expect(tickOf(tradeFrame({ ask_bid: undefined })).side).toBeUndefined();
  });

  it.each([
    ['RISE', '4.00000000', '4'],
    ['FALL', '6E-8', '-0.00000006'],
    ['EVEN', '0.00000000', '0'],
    ['FALL', '-12', '-12'],
  ])('sign the change: %s of %s is %s', (change, change_price, expected) => {
    expect(tickOf(tradeFrame({ change: `"${change}"`, change_price })).change).toBe(expected);
  });

  it('have no change where the venue prints none, and never a rate', () => {
    for (const fields of [
      { change: undefined },
      { change_price: undefined },
      { change_price: 'null' },
      { change: 'null' },
    ]) {
      expect(tickOf(tradeFrame(fields))).toMatchObject({ change: undefined, changeRate: undefined });
    }
  });

  it('tell the snapshot, which may be old and seen before, from real time', () => {
    expect(tickOf(tradeFrame({ stream_type: '"SNAPSHOT"' })).streamType).toBe('SNAPSHOT');
    expect(tickOf(tradeFrame({ stream_type: '"REALTIME"' })).streamType).toBe('REALTIME');
    expect(tickOf(tradeFrame({ stream_type: '"REPLAY"' })).streamType).toBeUndefined();
  });

  it('need nothing that a frame of 2021 did not have', () => {
    const fields = {
      best_ask_price: undefined,
      best_ask_size: undefined,
      best_bid_price: undefined,
      best_bid_size: undefined,
    };
    expect(tickOf(tradeFrame(fields))).toEqual(tickOf(tradeFrame()));
  });

  it.each([
    ['trade_price', '0', 'VALIDATION_TICK', 'price 0 is not above 0'],
    ['trade_price', '-1', 'VALIDATION_TICK', 'price -1 is not above 0'],
    ['trade_price', 'null', 'VALIDATION_FRAME', 'trade_price is null; expected a number or text'],
    ['trade_price', undefined, 'VALIDATION_FRAME', 'trade_price is absent'],
    ['trade_price', 'true', 'VALIDATION_FRAME', 'trade_price is true'],
    ['trade_price', '{"a":1}', 'VALIDATION_FRAME', 'trade_price is an object'],
    ['trade_price', '"NaN"', 'VALIDATION_DECIMAL', 'trade_price: not a decimal: "NaN"'],
    ['trade_price', '1e400', 'VALIDATION_DECIMAL', 'trade_price: not a decimal: "1e400"'],
    ['trade_volume', '0.00000000', 'VALIDATION_TICK', 'volume 0 is not above 0'],
    ['trade_volume', undefined, 'VALIDATION_FRAME', 'trade_volume is absent'],
    ['trade_timestamp', undefined, 'VALIDATION_FRAME', 'trade_timestamp is absent'],
    ['trade_timestamp', '0', 'VALIDATION_TIME', 'trade_timestamp: not a time: "0"'],
    ['trade_timestamp', '1618678262', 'VALIDATION_TIME', 'trade_timestamp: not a time: "1618678262"'],
    ['trade_timestamp', '9007199254740993000', 'VALIDATION_TIME', 'trade_timestamp: not a time'],
    ['sequential_id', undefined, 'VALIDATION_FRAME', 'sequential_id is absent'],
    ['sequential_id', '""', 'VALIDATION_FRAME', 'sequential_id is ""; expected digits'],
    ['sequential_id', '1.7E16', 'VALIDATION_FRAME', 'sequential_id is "1.7E16"; expected digits'],
    ['ask_bid', '"HOLD"', 'VALIDATION_FRAME', 'ask_bid is "HOLD"; expected ASK or BID'],
    ['change', '"UP"', 'VALIDATION_FRAME', 'change is "UP"; expected RISE, EVEN or FALL'],
    ['change_price', '"much"', 'VALIDATION_DECIMAL', 'change_price: not a decimal: "much"'],
  ])('are rejected with symbol, channel and reason: %s %s', (field, value, code, reason) => {
    expect(rejectionOf(tradeFrame({ [field]: value }))).toMatchObject({
      symbol: 'KRW-BTC',
      channel: 'tick',
      error: { code, message: expect.stringContaining(reason) as string },
    });
  });

  it('never cost their neighbours in a list anything', () => {
    const records = recordsOf(
      listFrame(tradeFrame(), tradeFrame({ trade_price: '0' }), tradeFrame({ sequential_id: '17901347419500002' })),
    );
    expect(records.map(({ outcome }) => outcome)).toEqual(['event', 'rejected', 'event']);
  });
});
