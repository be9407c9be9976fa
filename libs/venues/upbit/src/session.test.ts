import { describe, expect, it } from 'vitest';
import {
  bookFrame,
  bytes,
  listFrame,
  openSession,
  read,
  RECEIVED_AT,
  recordsOf,
  rejectionOf,
  tickOf,
  tradeFrame,
} from '../test/driver-frames.js';

const status = bytes('{"status":"UP"}');
const refusal = (name: string) => bytes(`{"error":{"name":"${name}","message":"다시 시도해 주세요."}}`);
const names = ['WRONG_FORMAT', 'NO_TICKET', 'NO_TYPE', 'NO_CODES', 'INVALID_PARAM', 'INVALID_AUTH'];

describe('an upbit session', () => {
  it('reads the bytes of a binary frame, in a buffer of its own or in the middle of a larger one', () => {
    const frame = tradeFrame();
    const larger = new Uint8Array(frame.length + 20).fill(0xff);
    larger.set(frame, 7);
    expect(tickOf(Buffer.from(frame))).toEqual(tickOf(frame));
    expect(tickOf(larger.subarray(7, 7 + frame.length))).toEqual(tickOf(frame));
  });

  it('reads a list as what its messages are, one by one', () => {
    const list = listFrame(tradeFrame(), bookFrame(), tradeFrame({ code: '"BTC-ETH"' }, 'DEFAULT'));
    expect(recordsOf(list)).toEqual([tradeFrame(), bookFrame(), tradeFrame({ code: '"BTC-ETH"' })].flatMap(recordsOf));
  });

  describe('takes protocol talk for what it is', () => {
    it.each([
      ['a status', '{"status":"UP"}'],
      [
        'a list of subscriptions',
        '{"method":"LIST_SUBSCRIPTIONS","result":[{"type":"trade","codes":["KRW-BTC"]}],"ticket":"t"}',
      ],
      [
        'a list of subscriptions in SIMPLE',
        '{"mthd":"LIST_SUBSCRIPTIONS","rslt":[{"ty":"trade","cds":["KRW-BTC"]}],"tckt":"t"}',
      ],
      ['a status in a list format', '[{"status":"UP"}]'],
    ])('%s is control', (_name, text) => {
      expect(read(bytes(text))).toEqual({ kind: 'control' });
    });

    it.each(names)('%s is a refusal that connecting again does not mend', (name) => {
      const reading = read(refusal(name));
      expect(reading).toMatchObject({
        kind: 'refusal',
        error: { code: 'CONNECTION_REFUSED_BY_VENUE', retryable: false, context: { name } },
      });
      expect(reading.kind === 'refusal' && reading.error.message).toContain(`${name}, "다시 시도해 주세요."`);
    });

    it.each(['TOO_MANY_REQUEST', 'SOMETHING_NEW'])('%s is a refusal that time may mend', (name) => {
      expect(read(refusal(name))).toMatchObject({ kind: 'refusal', error: { retryable: true } });
    });

    it('an error reads alike with its keys in another order, in a list, or with a number for a name', () => {
      expect(read(bytes('{"error":{"message":"m","name":"NO_TYPE"}}'))).toMatchObject({
        error: { context: { name: 'NO_TYPE' } },
      });
      expect(read(bytes('[{"error":{"name":"NO_TYPE","message":"m"}}]'))).toMatchObject({ kind: 'refusal' });
      expect(read(bytes('{"error":{"name":404,"message":"Code not found"}}'))).toMatchObject({
        error: { context: { name: '404' } },
      });
      expect(read(bytes('{"error":{}}'))).toMatchObject({ kind: 'refusal', error: { retryable: true } });
    });

    it('talk beside data in one list takes nothing from the data', () => {
      expect(recordsOf(listFrame(status, tradeFrame())).map(({ outcome }) => outcome)).toEqual(['event']);
      expect(recordsOf(listFrame(tradeFrame(), refusal('NO_TYPE'), bookFrame()))).toMatchObject([
        { outcome: 'event' },
        { outcome: 'rejected', symbol: '', error: { code: 'CONNECTION_REFUSED_BY_VENUE' } },
        { outcome: 'event' },
      ]);
      expect(read(listFrame(status, refusal('NO_TYPE')))).toMatchObject({ kind: 'refusal' });
    });
  });

  describe('ignores what was not subscribed', () => {
    it.each([
      [
        'a trade of another code, as may still arrive from an old subscription',
        tradeFrame({ code: '"KRW-XRP"' }),
        'KRW-XRP',
      ],
      ['a book of another code', bookFrame(undefined, { code: '"KRW-XRP"' }), 'KRW-XRP'],
      ['a code in lower case', tradeFrame({ code: '"krw-btc"' }), 'krw-btc'],
      ['a ticker', tradeFrame({ type: '"ticker"' }), 'KRW-BTC'],
      ['a ticker in DEFAULT', tradeFrame({ type: '"ticker"' }, 'DEFAULT'), 'KRW-BTC'],
      ['a candle', tradeFrame({ type: '"candle.240m"' }), 'KRW-BTC'],
      ['a damaged trade of another code', tradeFrame({ code: '"KRW-XRP"', trade_price: 'null' }), 'KRW-XRP'],
    ])('%s', (_name, frame, symbol) => {
      expect(recordsOf(frame)).toEqual([{ outcome: 'ignored', symbol }]);
    });

    it('the other channel of a subscribed code', () => {
      const session = openSession([{ symbol: 'KRW-BTC', channel: 'tick' }]);
      expect(session.read(bookFrame(), RECEIVED_AT)).toEqual({
        kind: 'data',
        records: [{ outcome: 'ignored', symbol: 'KRW-BTC' }],
      });
      expect(session.read(tradeFrame(), RECEIVED_AT)).toMatchObject({ records: [{ outcome: 'event' }] });
    });

    it('in a list, record by record', () => {
      const list = listFrame(tradeFrame({ code: '"KRW-XRP"' }), tradeFrame(), tradeFrame({ type: '"ticker"' }));
      expect(recordsOf(list).map(({ outcome }) => outcome)).toEqual(['ignored', 'event', 'ignored']);
    });
  });

  describe('rejects a frame that it cannot decode as one record', () => {
    it.each([
      ['bytes that are not UTF-8', Uint8Array.from([...tradeFrame(), 0xff]), 'not UTF-8'],
      ['half a frame', tradeFrame().slice(0, -20), 'not JSON'],
      ['no bytes at all', new Uint8Array(), 'not JSON'],
      ['text that is not JSON', bytes('PONG'), 'not JSON'],
      ['a number that JSON does not know', bytes('{"ty":"trade","tp":01}'), 'not JSON'],
      ['brackets without an end', bytes('['.repeat(100_000)), 'not JSON'],
      ['a bare text', bytes('"trade"'), '"trade" where an object is expected'],
      ['a bare number', bytes('17901347419500001'), '"17901347419500001" where an object is expected'],
      ['null', bytes('null'), 'null where an object is expected'],
      ['an empty object', bytes('{}'), 'type is absent; expected trade or orderbook'],
      ['an empty list', bytes('[]'), 'an empty list'],
      ['a list in a list', bytes('[[]]'), 'a list where an object is expected'],
      ['an unknown type', tradeFrame({ type: '"tarde"' }), 'type is "tarde"; expected trade or orderbook'],
      ['a type that is no text', tradeFrame({ type: '{"a":1}' }), 'type is an object'],
      ['an error that is none', bytes('{"error":"NO_TYPE"}'), 'type is absent'],
    ])('%s', (_name, frame, reason) => {
      const { symbol, channel, error } = rejectionOf(frame);
      expect([symbol, channel, error.code]).toEqual(['', undefined, 'VALIDATION_FRAME']);
      expect(error.message).toContain(`undecodable frame: ${reason}`);
      expect(error.message.length).toBeLessThan(200);
    });

    it('nested deeper than any parser goes', () => {
      const deep = `{"ty":"trade","cd":"KRW-BTC","tp":${'['.repeat(50_000)}${']'.repeat(50_000)}}`;
      expect(rejectionOf(bytes(deep)).error.code).toBe('VALIDATION_FRAME');
    });

    it('in a list, beside records that are sound', () => {
      expect(recordsOf(listFrame(tradeFrame(), bytes('null'), bookFrame()))).toMatchObject([
        { outcome: 'event' },
        { outcome: 'rejected', symbol: '', error: { code: 'VALIDATION_FRAME' } },
        { outcome: 'event' },
      ]);
    });
  });

  it.each(['trade', 'orderbook'])('rejects a %s without a code, naming its channel', (type) => {
    for (const code of [undefined, '""', 'null', '{}']) {
      expect(rejectionOf(tradeFrame({ type: `"${type}"`, code }))).toMatchObject({
        symbol: '',
        channel: type === 'trade' ? 'tick' : 'orderbook',
        error: { code: 'VALIDATION_SYMBOL' },
      });
    }
  });
});
