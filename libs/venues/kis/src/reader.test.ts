import { describe, expect, it } from 'vitest';
import { TRADES_2025 } from '../test/captured.js';
import {
  BOOK,
  bytes,
  frameOf,
  openReader,
  outcomes,
  payloadOf,
  read,
  recordsOf,
  rejectionOf,
  text,
  TRADE,
  widened,
  withFields,
  without,
} from '../test/reading.js';
import { TRADE as AT } from './layout/trade.js';

/** Trades of one frame, told apart by code and cumulative volume. */
const A = withFields(TRADE, { [AT.ACML_VOL]: '1001' });
const B = withFields(TRADE, { [AT.MKSC_SHRN_ISCD]: '0193T0', [AT.ACML_VOL]: '1002' });
const C = withFields(TRADE, { [AT.MKSC_SHRN_ISCD]: 'Q530036', [AT.ACML_VOL]: '1003' });

/** The volumes of the trades that were read, and the lengths of what was not, in fields. */
function summary(frame: string | Uint8Array, reader = openReader()): string {
  return recordsOf(frame, reader)
    .map((record) => {
      if (record.outcome === 'event' && record.event.kind === 'tick') return record.event.tradeId.slice(-4);
      return record.outcome === 'rejected' ? `-${text(record.bytes).split('^').length}` : record.outcome;
    })
    .join(' ');
}

describe('records of a KIS frame', () => {
  it.each([46, 47, 48, 52])('are told apart by fields / count: width %i', (width) => {
    const records = [A, B, C].map((fields) => widened(fields, width));
    expect(summary(frameOf('H0STCNT0', records))).toBe('1001 1002 1003');
  });

  it('may be of any code, also one with letters and the seven characters of an ETN', () => {
    expect(recordsOf(frameOf('H0STCNT0', [B, C]))).toMatchObject([
      { event: { symbol: '0193T0' } },
      { event: { symbol: 'Q530036' } },
    ]);
  });

  it('of a code or a stream that was not subscribed are ignored', () => {
    const other = withFields(TRADE, { [AT.MKSC_SHRN_ISCD]: '035720' });
    expect(recordsOf(frameOf('H0STCNT0', [other, other]))).toEqual([
      { outcome: 'ignored', symbol: '035720' },
      { outcome: 'ignored', symbol: '035720' },
    ]);
    const reader = openReader({ isSubscribed: (trId, code) => trId === 'H0STCNT0' && code === '005930' });
    expect(recordsOf(frameOf('H0NXCNT0', [A]), reader)).toEqual([{ outcome: 'ignored', symbol: '005930' }]);
  });

  it('that are too short are rejected with their reason and bytes, whatever their neighbours', () => {
    const short = without(B, 30);
    for (const [records, expected] of [
      [[short, A, C], '-45 1001 1003'],
      [[A, short, C], '1001 -45 1003'],
      [[A, C, short], '1001 1003 -45'],
    ] as const) {
      expect(summary(frameOf('H0STCNT0', records))).toBe(expected);
    }
    expect(recordsOf(frameOf('H0STCNT0', [A, short]))[1]).toMatchObject({
      symbol: '0193T0',
      channel: 'tick',
      error: {
        code: 'VALIDATION_FRAME',
        message: 'H0STCNT0 record 2, 0193T0: has 45 of 46 fields',
        context: { fields: 45 },
      },
      bytes: bytes(short.join('^')),
    });
  });

  it('whose code is damaged are rejected alone', () => {
    for (const code of ['', '00593', '(null)', '\u{fffd}05930', '035720']) {
      const damaged = withFields(B, { [AT.MKSC_SHRN_ISCD]: code });
      expect(summary(frameOf('H0STCNT0', [A, damaged, C]))).toBe('1001 -46 1003');
    }
    const first = withFields(A, { [AT.MKSC_SHRN_ISCD]: '' });
    expect(recordsOf(frameOf('H0STCNT0', [first, B]))).toMatchObject([
      { outcome: 'rejected', symbol: '', error: { code: 'VALIDATION_SYMBOL' } },
      { outcome: 'event' },
    ]);
  });

  it('that lost both a field and their code cost no neighbour', () => {
    const damaged = without(withFields(B, { [AT.MKSC_SHRN_ISCD]: 'x' }), 30);
    expect(summary(frameOf('H0STCNT0', [A, damaged, C]))).toBe('1001 -45 1003');
  });

  it('that gained a field cost no neighbour', () => {
    const wide = B.toSpliced(5, 0, '0');
    expect(summary(frameOf('H0STCNT0', [A, wide, C]))).toMatch(/^1001 (-\d+ )+1003$/);
    // Shifted ends that add up to an even frame: the starts of the records tell.
    expect(summary(frameOf('H0STCNT0', [A, wide, without(C, 30)]))).toMatch(/^1001( -\d+)+$/);
  });

  it('that are cut off by the end of the frame are rejected, those before it kept', () => {
    const frame = frameOf('H0STCNT0', [A, B, C]);
    for (let length = frame.length - 1; length > frame.indexOf('|', 11); length -= 1) {
      const cut = bytes(frame).subarray(0, length);
      const whole = Math.floor((text(cut).split('^').length - 1) / 46);
      const expected = ['1001', '1002', '1003'].slice(0, whole);
      expect(
        summary(cut)
          .split(' ')
          .filter((one) => /^\d/.test(one))
          .slice(0, whole),
      ).toEqual(expected);
      expect(recordsOf(cut).length).toBeLessThanOrEqual(3);
    }
  });

  it('that a frame announces and does not hold are one rejected record', () => {
    const frame = frameOf('H0STCNT0', [A, B], 3);
    expect(outcomes(recordsOf(frame))).toBe('event event rejected');
    expect(recordsOf(frame)[2]).toMatchObject({
      symbol: '',
      error: { message: 'H0STCNT0 record 3: is missing: the frame announces 3 and holds 2' },
      bytes: bytes(frame),
      records: 1,
    });
    expect(recordsOf(frameOf('H0STCNT0', [A, B], 5))[2]).toMatchObject({ outcome: 'rejected', records: 3 });
  });

  it('are all found when the count is too low or unreadable', () => {
    expect(summary(frameOf('H0STCNT0', [A, B, C], 1))).toBe('1001 1002 1003');
    expect(summary(frameOf('H0STCNT0', [A, B, C], 2))).toBe('1001 1002 1003');
    expect(summary(frameOf('H0STCNT0', [A, B, C]).replace('003', '0x3'))).toBe('1001 1002 1003');
  });

  it('are found in a damaged frame of a width that only this connection has shown', () => {
    const reader = openReader();
    const wide = [A, B, C].map((fields) => widened(fields, 51));
    expect(summary(frameOf('H0STCNT0', wide), reader)).toBe('1001 1002 1003');
    const [a = [], b = [], c = []] = wide;
    expect(summary(frameOf('H0STCNT0', [a, without(b, 5), c]), reader)).toBe('1001 -50 1003');
  });

  it('are taken out of a damaged frame until there are 1,000 of them; what stands behind is one', () => {
    const whole = widened(A, 47).join('^');
    const payload = `${whole}^${'^'.repeat(100_000)}`;
    const records = recordsOf(`0|H0STCNT0|002|${payload}`);
    expect(records).toHaveLength(1_001);
    const kept = records.map((record) => (record.outcome === 'rejected' ? text(record.bytes) : whole));
    expect(kept.join('^') === payload).toBe(true);
    expect(records.at(-1)).toMatchObject({
      error: { message: 'H0STCNT0 record 1001: stands behind 1000 records of a damaged frame' },
    });
  });

  it('with a forged start inside are cut there, and the content decides', () => {
    const forged = [...A, '', '005930', '093000', ...B.slice(1)];
    expect(summary(frameOf('H0STCNT0', [forged], 2))).toBe('1001 -47');
  });

  it('with invalid UTF-8 are rejected where the field matters, and read where it does not', () => {
    const frame = bytes(frameOf('H0STCNT0', [A, B]));
    const inVwap = frame.indexOf(0x5e, frame.indexOf(0x2e)) + 2;
    frame[inVwap] = 0xe3;
    expect(summary(frame)).toBe('1001 1002');
    const inPrice = text(frame).indexOf('313000');
    frame[inPrice + 1] = 0xff;
    expect(outcomes(recordsOf(frame))).toBe('rejected event');
    expect(recordsOf(frame)[0]).toMatchObject({ symbol: '005930', error: { code: 'VALIDATION_DECIMAL' } });
  });
});

describe('KIS frames that cannot be read', () => {
  it.each([
    ['0|H0STXXX0|001|a', 'frame of "H0STXXX0", a stream that is not read; known: H0STCNT0,'],
    ['0|H0STCNT0', 'frame is not <0 or 1>|<TR id>|<count>|<payload>'],
    ['', 'frame is not'],
  ])('such as %j are one rejected record without symbol, with all their bytes', (frame, message) => {
    const record = rejectionOf(frame);
    expect(record).toMatchObject({ symbol: '', channel: undefined, bytes: bytes(frame) });
    expect(record.error.message).toContain(message);
  });

  it('such as an empty payload are one rejected record of their channel', () => {
    expect(rejectionOf('0|H0STASP0|001|')).toMatchObject({ symbol: '', channel: 'orderbook' });
  });

  it('are kept without the approval key that may stand in them', () => {
    const key = '8d1b3c5e-7f90-4a2b-9c3d-1e2f3a4b5c6d';
    expect(text(rejectionOf(`0"approval_key":"${key}"`).bytes)).toBe('0"approval_key":"[redacted]"');
  });

  it('are rejected when the calendar knows no business date', () => {
    const reader = openReader({
      dateOfQuote: () => {
        throw new Error('no day');
      },
    });
    expect(rejectionOf(frameOf('H0STASP0', [BOOK]), reader).error.message).toContain('066570: no day');
  });
});

describe('the width of KIS records', () => {
  const trade = (width: number) => frameOf('H0STCNT0', [widened(TRADE, width)]);

  it('is reported once for each new width after the first frame', () => {
    const reader = openReader();
    const changes = [46, 46, 47, 47, 46, 47, 49, 46].map((width) => read(trade(width), reader).widthChange);
    expect(changes).toEqual([
      undefined,
      undefined,
      { trId: 'H0STCNT0', from: 46, to: 47 },
      undefined,
      undefined,
      undefined,
      { trId: 'H0STCNT0', from: 47, to: 49 },
      undefined,
    ]);
  });

  it('is reported at once when it is none of those documented', () => {
    expect(read(trade(49)).widthChange).toEqual({ trId: 'H0STCNT0', from: 47, to: 49 });
    expect(read(frameOf('H0STASP0', [widened(BOOK, 63)])).widthChange).toBeUndefined();
  });

  it('says nothing in a damaged frame', () => {
    expect(read(frameOf('H0STCNT0', [without(TRADE, 40)])).widthChange).toBeUndefined();
  });

  it('counts for each stream alone', () => {
    const reader = openReader();
    read(trade(47), reader);
    expect(read(frameOf('H0NXCNT0', [TRADE]), reader).widthChange).toBeUndefined();
  });

  it('of a captured frame is 46 for each of its three records', () => {
    expect(payloadOf(TRADES_2025)).toHaveLength(3 * 46);
  });
});
