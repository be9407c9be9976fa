import type { FrameReading, Subscription } from '@aipx/venue';
import { beforeEach, describe, expect, it } from 'vitest';
import { bookFrame, bytes, frameOf, RECEIVED_AT, TRADE, tradeFrame, withFields } from '../../test/reading.js';
import { TRADE as AT } from '../layout/trade.js';
import { kisDriver } from './driver.js';

const APPROVAL_KEY = '11111111-2222-3333-4444-555555555555';
const TRADES: Subscription = { symbol: '005930', channel: 'tick' };
const BOOKS: Subscription = { symbol: '066570', channel: 'orderbook' };

function answer(code: string, words: string, trId: string | null = 'H0STCNT0', symbol = '005930'): Uint8Array {
  const rt_cd = code === 'OPSP0000' ? '0' : '1';
  const header = { tr_id: trId, tr_key: symbol, encrypt: 'N' };
  return bytes(JSON.stringify({ header, body: { rt_cd, msg_cd: code, msg1: words } }));
}

describe('a session of KIS', () => {
  const driver = kisDriver();
  let read: (frame: Uint8Array | string) => FrameReading;
  let opening: readonly string[];

  beforeEach(() => {
    const session = driver.openSession({
      subscriptions: [TRADES, BOOKS],
      bookDepth: 10,
      connectionId: 'c1',
      secret: APPROVAL_KEY,
    });
    opening = session.opening;
    read = (frame) => session.read(typeof frame === 'string' ? bytes(frame) : frame, RECEIVED_AT);
  });

  it('registers each stream by itself, as the portal writes it', () => {
    expect(opening.map((text) => JSON.parse(text) as unknown)).toEqual([
      {
        header: { approval_key: APPROVAL_KEY, custtype: 'P', tr_type: '1', 'content-type': 'utf-8' },
        body: { input: { tr_id: 'H0STCNT0', tr_key: '005930' } },
      },
      expect.objectContaining({ body: { input: { tr_id: 'H0STASP0', tr_key: '066570' } } }),
    ]);
  });

  it('takes the streams of its segment', () => {
    const { opening: unified } = kisDriver({ segment: 'UN' }).openSession({
      subscriptions: [TRADES],
      bookDepth: 10,
      connectionId: 'c1',
      secret: APPROVAL_KEY,
    });
    expect(unified[0]).toContain('H0UNCNT0');
  });

  it('is not opened without an approval key', () => {
    expect(() => driver.openSession({ subscriptions: [TRADES], bookDepth: 10, connectionId: 'c1' })).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID' }),
    );
  });

  it('reads trades and books, ignores what was not registered, and rejects what cannot be read', () => {
    expect(read(tradeFrame())).toMatchObject({
      kind: 'data',
      records: [{ outcome: 'event', event: { kind: 'tick' } }],
    });
    expect(read(bookFrame())).toMatchObject({ records: [{ outcome: 'event', event: { kind: 'orderbook' } }] });
    expect(read(tradeFrame({ [AT.MKSC_SHRN_ISCD]: '000660' }))).toMatchObject({
      records: [{ outcome: 'ignored', symbol: '000660' }],
    });
    expect(read('0|H0STCNT0|001|005930^')).toMatchObject({ records: [{ outcome: 'rejected' }] });
    expect(read('{')).toMatchObject({ records: [{ outcome: 'rejected', error: { code: 'VALIDATION_FRAME' } }] });
  });

  it('names what the volumes show to be missing before the trade, and leaves out one that came before', () => {
    const at = (cumulative: string, volume: string) =>
      withFields(TRADE, { [AT.ACML_VOL]: cumulative, [AT.CNTG_VOL]: volume });
    read(frameOf('H0STCNT0', [at('34502265', '5')]));
    const reading = read(frameOf('H0STCNT0', [at('34502300', '20'), at('34502300', '20'), at('34502301', '1')]));
    expect(reading).toMatchObject({
      records: [
        { outcome: 'gap', symbol: '005930', channel: 'tick', missedVolume: '15' },
        { outcome: 'event' },
        { outcome: 'repeated', symbol: '005930' },
        { outcome: 'event' },
      ],
    });
  });

  it('remembers volumes from one session to the next', () => {
    const memory = driver.newMemory?.();
    const open = () =>
      driver.openSession({
        subscriptions: [TRADES],
        bookDepth: 10,
        connectionId: 'c',
        secret: APPROVAL_KEY,
        ...(memory && { memory }),
      });
    open().read(bytes(tradeFrame({ [AT.ACML_VOL]: '1000', [AT.CNTG_VOL]: '1' })), RECEIVED_AT);
    expect(open().read(bytes(tradeFrame({ [AT.ACML_VOL]: '1010', [AT.CNTG_VOL]: '2' })), RECEIVED_AT)).toMatchObject({
      records: [{ outcome: 'gap', missedVolume: '8' }, { outcome: 'event' }],
    });
  });

  it('answers a heartbeat with the same text', () => {
    const heartbeat = '{"header":{"tr_id":"PINGPONG","datetime":"20260915090000"}}';
    expect(read(heartbeat)).toEqual({ kind: 'control', reply: heartbeat });
  });

  it.each([
    ['OPSP0000', 'SUBSCRIBE SUCCESS'],
    ['OPSP0002', 'ALREADY IN SUBSCRIBE'],
  ])('takes %s for a stream that stands', (code, words) => {
    expect(read(answer(code, words))).toEqual({ kind: 'control', news: { subscription: TRADES } });
  });

  it.each([
    ['OPSP0008', 'MAX SUBSCRIBE OVER'],
    ['OPSP0009', 'SUBSCRIBE ERROR : mci send failed'],
    ['OPSP8992', 'invalid tr_key'],
  ])('takes %s for the refusal of one stream: the session goes on', (code, words) => {
    expect(read(answer(code, words))).toMatchObject({
      kind: 'control',
      news: { subscription: TRADES, error: { code: 'CONNECTION_REFUSED_BY_VENUE', retryable: false } },
    });
  });

  it('registers again after an internal error, three times, later each time, and then lets it be', () => {
    const asked = [1, 2, 3, 4].map(() => read(answer('OPSP0007', 'SUBSCRIBE INTERNAL ERROR')));
    expect(asked.slice(0, 3)).toEqual(
      [5_000, 10_000, 15_000].map((replyAfterMs) => ({ kind: 'control', reply: opening[0], replyAfterMs })),
    );
    expect(asked[3]).toMatchObject({ kind: 'control', news: { subscription: TRADES, error: { retryable: true } } });
  });

  it.each([
    ['OPSP8996', 'ALREADY IN USE appkey', true, 'already-in-use'],
    ['OPSP0011', `invalid approval : ${APPROVAL_KEY}`, true, 'new-approval-key'],
    ['OPSP8999', 'resource not available', true, 'back-off'],
    ['OPSP0010', 'SUBSCRIBE WARNING : invalid appkey', false, 'fatal'],
  ])('takes %s for the end of the session', (code, words, retryable, action) => {
    for (const trId of ['(null)', null, 'H0STCNT0']) {
      const reading = read(answer(code, words, trId, ''));
      expect(reading).toMatchObject({ kind: 'refusal', error: { retryable, context: { code, action } } });
      expect(JSON.stringify(reading)).not.toContain(APPROVAL_KEY);
    }
  });
});
