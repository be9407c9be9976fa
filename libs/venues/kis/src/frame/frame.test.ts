import { describe, expect, it } from 'vitest';
import { bytes, recordsOf } from '../../test/reading.js';
import { FieldBytes } from './bytes.js';
import { decodeText, isDataFrame, splitFrame } from './frame.js';

describe('a KIS data frame', () => {
  it('is split at its first three bars only', () => {
    expect(splitFrame(bytes('0|H0STCNT0|004|a|b^c|d'))).toEqual({
      encrypted: false,
      trId: 'H0STCNT0',
      count: 4,
      payload: 'a|b^c|d',
    });
    expect(splitFrame(bytes('1|H0STCNI0|001|QUJD'))).toMatchObject({ encrypted: true, payload: 'QUJD' });
  });

  it.each([
    ['001', 1],
    ['019', 19],
    ['7', 7],
    ['000', undefined],
    ['', undefined],
    ['-1', undefined],
    ['1e3', undefined],
    ['0000001', undefined],
  ])('announces with %j %s records', (count, expected) => {
    expect(splitFrame(bytes(`0|H0STCNT0|${count}|x`)).count).toBe(expected);
  });

  it.each(['', '0', '0|', '0|H0STCNT0', '0|H0STCNT0|001', '2|H0STCNT0|001|x', '00|H0STCNT0|001|x', '|H0STCNT0|001|x'])(
    'is not %j',
    (text) => {
      expect(() => splitFrame(bytes(text))).toThrow('frame is not <0 or 1>|<TR id>|<count>|<payload>');
    },
  );

  it('is told from JSON talk by its first byte', () => {
    expect(['0|x', '1|x', '{"header":{}}', ''].map((text) => isDataFrame(bytes(text)))).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });

  it('keeps bars and carets where they are, whatever bytes stand before them', () => {
    for (let lead = 0x80; lead <= 0xff; lead += 1) {
      const text = decodeText(Uint8Array.of(0x41, lead, 0x5e, 0x42, lead, 0xbf, 0x7c, 0x43));
      expect(text.replace(/[^\x20-\x7e]/gu, '')).toBe('A^B|C');
    }
  });

  it('keeps a byte order mark: the first field is then no code', () => {
    expect(decodeText(Uint8Array.of(0xef, 0xbb, 0xbf, 0x41))).toBe('\ufeffA');
  });
});

describe('the bytes of a record', () => {
  const payload = bytes('0|T|1|aa^^가^d');

  it.each([
    [0, 1, 'aa'],
    [0, 2, 'aa^'],
    [1, 3, '^가'],
    [2, 4, '가^d'],
    [0, 4, 'aa^^가^d'],
  ])('from field %i to %i are %j', (from, to, expected) => {
    expect(decodeText(new FieldBytes(payload).range(from, to))).toBe(expected);
  });

  it('are a copy: the buffer of the frame may be used again', () => {
    const range = new FieldBytes(payload).range(0, 1);
    expect(range.buffer).not.toBe(payload.buffer);
  });

  it('are found without looking for any separator twice, however many records are rejected', () => {
    let searches = 0;
    class Counted extends Uint8Array {
      override indexOf(...sought: Parameters<Uint8Array['indexOf']>): number {
        searches += 1;
        return super.indexOf(...sought);
      }
    }
    const carets = 2_000;
    const records = recordsOf(Counted.from(bytes(`0|H0STMKO0|001|${'^'.repeat(carets)}`)));
    expect(records.length).toBeGreaterThan(100);
    expect(searches).toBeLessThanOrEqual(carets + 4);
  });
});
