import type { FrameReading, Subscription } from '@aipx/venue';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  bookFrame,
  bytes,
  frameOf,
  RECEIVED_AT,
  text,
  TRADE,
  tradeFrame,
  widened,
  withFields,
} from '../../test/reading.js';
import { TRADE as AT } from '../layout/trade.js';
import { kisDriver, type KisDriverOptions } from './driver.js';

const APPROVAL_KEY = '11111111-2222-3333-4444-555555555555';
const TRADES: Subscription = { symbol: '005930', channel: 'tick' };
const BOOKS: Subscription = { symbol: '066570', channel: 'orderbook' };

const ABSENT = 'absent';

function answer(code: string, words: string, trId: string | null = 'H0STCNT0', symbol = '005930'): Uint8Array {
  const rt_cd = code === 'OPSP0000' ? '0' : '1';
  const header = { ...(trId !== ABSENT && { tr_id: trId }), tr_key: symbol, encrypt: 'N' };
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

  it('registers each stream by itself, as the portal writes it, and behind them the market operations of each symbol', () => {
    expect(opening.map((text) => JSON.parse(text) as unknown)).toEqual([
      {
        header: { approval_key: APPROVAL_KEY, custtype: 'P', tr_type: '1', 'content-type': 'utf-8' },
        body: { input: { tr_id: 'H0STCNT0', tr_key: '005930' } },
      },
      ...['H0STASP0 066570', 'H0STMKO0 005930', 'H0STMKO0 066570'].map((words) => {
        const [tr_id, tr_key] = words.split(' ');
        return expect.objectContaining({ body: { input: { tr_id, tr_key } } }) as unknown;
      }),
    ]);
  });

  it('asks for the market operations of a symbol once, of its segment, and not where the server has none', () => {
    const operations = (options: KisDriverOptions) =>
      kisDriver(options)
        .openSession({
          subscriptions: [TRADES, { ...TRADES, channel: 'orderbook' }],
          bookDepth: 10,
          connectionId: 'c1',
          secret: APPROVAL_KEY,
        })
        .opening.flatMap((text) => /H0..MKO0/.exec(text)?.[0] ?? []);
    expect(operations({})).toEqual(['H0STMKO0']);
    expect(operations({ segment: 'NXT' })).toEqual(['H0NXMKO0']);
    expect(operations({ segment: 'UN' })).toEqual(['H0UNMKO0']);
    expect(operations({ marketOperations: false })).toEqual([]);
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

  it('keeps no secret of a message that is cut, and of data only what cannot be read', () => {
    const kept = (frame: string) => {
      const reading = read(frame);
      if (reading.kind !== 'data') expect.unreachable(`read as ${reading.kind}`);
      return reading.records.map((record) =>
        record.outcome === 'rejected' ? text(record.bytes ?? expect.unreachable('the frame as it came')) : '',
      );
    };
    const echo = text(answer('OPSP0011', `invalid approval : ${APPROVAL_KEY}`, null));
    const granted =
      '{"header":{"tr_id":"H0STCNT0","tr_key":"005930"},"body":{"rt_cd":"0","output":{"iv":"ca513e8bf725c575","key":"uvbpznjqabrx"}}}';
    expect(kept(echo.slice(0, -10))).toEqual([expect.stringMatching(/"invalid approval : \[redacted]$/)]);
    expect(kept(granted.slice(0, -6))).toEqual([expect.stringMatching(/"iv":"\[redacted]","key":"\[redacted]$/)]);
    expect(kept(`0|H0STCNT9|001|${APPROVAL_KEY}`)).toEqual(['0|H0STCNT9|001|[redacted]']);
    const bad = withFields(TRADE, { [AT.STCK_PRPR]: '' });
    expect(kept(frameOf('H0STCNT0', [TRADE, bad]))).toEqual(['', bad.join('^')]);
  });

  it('says how many trades a frame announces and does not hold', () => {
    expect(read(frameOf('H0STCNT0', [TRADE, TRADE], 5))).toMatchObject({
      records: [{ outcome: 'event' }, {}, { outcome: 'rejected', channel: 'tick', missed: 3n }],
    });
  });

  it('notices records of a new width', () => {
    const width = (fields: number) => read(frameOf('H0STCNT0', [widened(TRADE, fields)]));
    expect(width(47)).not.toHaveProperty('notices');
    expect(width(49)).toMatchObject({
      kind: 'data',
      notices: [
        'records of H0STCNT0 have 49 fields, not 47: KIS has changed their layout; ' +
          'the known fields are read where they stood, check that this still holds',
      ],
    });
    expect(width(49)).not.toHaveProperty('notices');
    const operation = ['005930', 'N', '(null)', 'F01', '', '', '', '55', 'N', 'N', '', ''];
    expect(read(frameOf('H0STMKO0', [operation]))).toMatchObject({
      kind: 'control',
      notices: [expect.stringContaining('H0STMKO0 have 12 fields, not 10')],
    });
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

  it('keeps trades that contradict themselves or those before them, and says so once for each', () => {
    const falling = withFields(TRADE, { [AT.PRDY_VRSS_SIGN]: '2' });
    const other = withFields(TRADE, { [AT.STCK_PRPR]: '313500' });
    expect(read(frameOf('H0STCNT0', [falling, other]))).toMatchObject({
      records: [
        { outcome: 'event', event: { change: undefined } },
        { outcome: 'event', event: { price: '313500' } },
      ],
      notices: [
        expect.stringContaining('changes of 005930 contradict their sign code'),
        expect.stringContaining('the volumes of 005930 say that trades came before'),
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

  it('tells halts and their end, beside what cannot be read, and no countdown', () => {
    const operation = (symbol: string, ...fields: string[]) => [symbol, ...fields];
    const halt = operation('005930', 'Y', '풍문 조회', '', '', '', '', '58', 'N', 'N');
    const end = operation('066570', 'N', '(null)', '', '', '', '', '55', 'N', 'N');
    const countdown = operation('005930', 'N', '(null)', 'F01', '', '', '', '55', 'N', 'N');
    const broken = operation('005930', '?', '(null)', '', '', '', '', '55', 'N', 'N');
    const news = [
      { symbol: '005930', isHalted: true, detail: 'halted: 풍문 조회' },
      { symbol: '066570', isHalted: false, detail: 'trades as usual' },
    ];
    expect(read(frameOf('H0STMKO0', [halt, end]))).toEqual({ kind: 'control', trading: news });
    expect(read(frameOf('H0STMKO0', [halt, countdown, end]))).toEqual({ kind: 'control', trading: news });
    expect(read(frameOf('H0STMKO0', [countdown]))).toEqual({ kind: 'control' });
    expect(read(frameOf('H0STMKO0', [halt, broken, end]))).toMatchObject({
      kind: 'data',
      records: [{ outcome: 'rejected', symbol: '005930', channel: undefined }],
      trading: news,
    });
  });

  it('goes on without halts when KIS does not give them', () => {
    const refused = answer('OPSP0009', 'SUBSCRIBE ERROR : mci send failed', 'H0STMKO0');
    expect(read(refused)).toMatchObject({
      kind: 'control',
      news: { registration: { name: 'H0STMKO0 005930', request: opening[2] }, answer: 'refused' },
      trading: [
        {
          symbol: '005930',
          detail: 'its halts are not known: KIS refuses H0STMKO0 005930: OPSP0009 SUBSCRIBE ERROR : mci send failed',
        },
      ],
    });
    const granted = read(answer('OPSP0000', 'SUBSCRIBE SUCCESS', 'H0STMKO0'));
    expect(granted).toMatchObject({ kind: 'control', news: { answer: 'stands' } });
    expect(granted).not.toHaveProperty('trading');
  });

  it('answers a heartbeat with the same text', () => {
    const heartbeat = '{"header":{"tr_id":"PINGPONG","datetime":"20260915090000"}}';
    expect(read(heartbeat)).toEqual({ kind: 'control', reply: heartbeat });
  });

  it.each([
    ['OPSP0000', 'SUBSCRIBE SUCCESS'],
    ['OPSP0002', 'ALREADY IN SUBSCRIBE'],
  ])('takes %s for a stream that stands', (code, words) => {
    const registration = { name: 'H0STCNT0 005930', subscription: TRADES, request: opening[0] };
    expect(read(answer(code, words))).toMatchObject({ kind: 'control', news: { registration, answer: 'stands' } });
  });

  it('takes OPSP0008 for the end of the room on this connection: the session goes on', () => {
    expect(read(answer('OPSP0008', 'MAX SUBSCRIBE OVER'))).toMatchObject({
      kind: 'control',
      news: { registration: { subscription: TRADES }, answer: 'full', error: { retryable: false } },
    });
  });

  it.each([
    ['OPSP0007', 'SUBSCRIBE INTERNAL ERROR', true, undefined],
    ['OPSP0009', 'SUBSCRIBE ERROR : mci send failed', true, 300_000],
    ['OPSP8991', 'invalid tr_id', false, undefined],
    ['OPSP8992', 'invalid tr_key', false, undefined],
    ['OPSP0777', 'SOMETHING NEW', true, undefined],
  ])('takes %s (%s) for the refusal of one stream, to be asked for again: %s, after %s ms at least', (...refusal) => {
    const [code, words, retryable, retryAfterMs] = refusal;
    const reading = read(answer(code, words));
    expect(reading).toMatchObject({
      kind: 'control',
      news: {
        registration: { subscription: TRADES },
        answer: 'refused',
        error: { code: 'CONNECTION_REFUSED_BY_VENUE', retryable },
      },
    });
    expect(reading).toHaveProperty(
      'news.error.context',
      expect.objectContaining(retryAfterMs === undefined ? { code } : { code, retryAfterMs }),
    );
  });

  it.each([
    ['OPSP0001', 'UNSUBSCRIBE SUCCESS'],
    ['OPSP0003', 'UNSUBSCRIBE ERROR(not found!)'],
  ])('takes %s for a stream that stands no more, whoever wanted that', (code, words) => {
    const message = `KIS has ended the registration of H0STCNT0 005930: ${code} ${words}`;
    expect(read(answer(code, words))).toMatchObject({
      kind: 'control',
      news: {
        registration: { subscription: TRADES },
        answer: 'ended',
        error: { code: 'CONNECTION_REFUSED_BY_VENUE', message, retryable: true },
      },
    });
    expect(read(answer(code, words, 'H0STMKO0'))).toMatchObject({
      kind: 'control',
      news: { answer: 'ended' },
      trading: [{ symbol: '005930', detail: expect.stringContaining('its halts are not known') as string }],
    });
  });

  it.each([
    ['OPSP0001', 'UNSUBSCRIBE SUCCESS'],
    ['OPSP0007', 'SUBSCRIBE INTERNAL ERROR'],
    ['OPSP0008', 'MAX SUBSCRIBE OVER'],
    ['OPSP0009', 'SUBSCRIBE ERROR : mci send failed'],
    ['OPSP8991', 'invalid tr_id'],
    ['OPSP8992', 'invalid tr_key'],
    ['OPSP0777', 'SOMETHING NEW'],
  ])('notices %s that names no registration of its own, and goes on', (code, words) => {
    for (const trId of ['(null)', null, ABSENT]) {
      expect(read(answer(code, words, trId, ''))).toEqual({
        kind: 'control',
        notices: [`KIS refuses or ends a registration and does not say which: ${code} ${words}`],
      });
    }
    expect(read(answer(code, words, 'H0STCNT0', '999999'))).toEqual({
      kind: 'control',
      notices: [
        `KIS refuses or ends a registration and names H0STCNT0 999999, which is none of them: ${code} ${words}`,
      ],
    });
  });

  it('gives a stream back as the portal writes it', () => {
    const { registrations = [] } = driver.openSession({
      subscriptions: [TRADES],
      bookDepth: 10,
      connectionId: 'c1',
      secret: APPROVAL_KEY,
    });
    expect(registrations.map(({ name }) => name)).toEqual(['H0STCNT0 005930', 'H0STMKO0 005930']);
    expect(JSON.parse(registrations[0]?.release ?? '')).toEqual({
      header: { approval_key: APPROVAL_KEY, custtype: 'P', tr_type: '2', 'content-type': 'utf-8' },
      body: { input: { tr_id: 'H0STCNT0', tr_key: '005930' } },
    });
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
