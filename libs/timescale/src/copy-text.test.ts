import type { LogRecord } from '@aipx/event-log';
import { parseDecimal, type Gap } from '@aipx/market-model';
import type { HotRow } from '@aipx/recording';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { copyChunks, GAPS } from './copy-text.js';

const gapRow = (changes: Partial<Gap> = {}): HotRow<Gap> => ({
  topic: 'market.gap',
  partition: 2,
  record: { offset: 7n } as LogRecord,
  event: {
    kind: 'gap',
    exchange: 'upbit',
    symbol: 'KRW-BTC',
    channel: 'tick',
    from: 1_618_678_262_712_345_678n,
    to: 1_618_678_263_000_000_000n,
    cause: 'SEQUENCE',
    missed: 3n,
    missedVolume: parseDecimal('0.5'),
    detail: '',
    ...changes,
  },
});

describe('COPY text', () => {
  it('has one line a row, tabs between the columns, and times in microseconds rounded down', () => {
    expect(GAPS.line(gapRow())).toBe(
      'upbit\tKRW-BTC\ttick\t2021-04-17T16:51:02.712345Z\t2021-04-17T16:51:03.000000Z\tSEQUENCE\t3\t0.5\t\tmarket.gap\t2\t7\n',
    );
  });

  it('rounds times before 1970 down too', () => {
    expect(GAPS.line(gapRow({ from: -1n }))).toContain('\t1969-12-31T23:59:59.999999Z\t');
  });

  it('has \\N for what is absent, and an empty column for an empty text', () => {
    const row = gapRow({ symbol: '', channel: undefined, from: 0n, cause: undefined, missedVolume: undefined });
    expect(GAPS.line({ ...row, record: undefined })).toBe(
      'upbit\t\t\\N\t\\N\t2021-04-17T16:51:03.000000Z\t\\N\t3\t\\N\t\tmarket.gap\t2\t\\N\n',
    );
  });

  it('escapes any text so that reading it back gives the text, and no text ends a column or a row', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('\t', '\n', '\r', '\\', 'N', 'n', '.', 'a', '비') }), (detail) => {
        const columns = GAPS.line(gapRow({ detail })).slice(0, -1).split('\t');
        expect(columns).toHaveLength(12);
        expect(columns[8]).not.toMatch(/[\n\r]/);
        expect(columns[8]?.replaceAll(/\\(.)/g, (_, escaped: string) => UNESCAPED[escaped] ?? escaped)).toBe(detail);
        expect(columns[8]).not.toBe('\\N');
      }),
    );
  });

  it('comes in pieces that together are the lines', () => {
    const rows = Array.from({ length: 3000 }, (_, missed) => gapRow({ missed: BigInt(missed) }));
    const chunks = [...copyChunks(rows, GAPS.line)];
    expect(chunks.length).toBeGreaterThan(3);
    expect(Buffer.concat(chunks).toString()).toBe(rows.map(GAPS.line).join(''));
    expect([...copyChunks([], GAPS.line)]).toEqual([]);
  });
});

const UNESCAPED: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r' };
