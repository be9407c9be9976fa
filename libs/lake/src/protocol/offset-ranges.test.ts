import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countOf, isCanonical, rangesOf, restOf } from './offset-ranges.js';

const all = { begin: 0n, end: 40n };
const offsets = fc.uniqueArray(fc.bigInt({ min: 0n, max: 39n })).map((some) => some.sort((a, b) => Number(a - b)));

describe('offset ranges', () => {
  it('hold exactly the offsets they were made of, in the only spelling', () => {
    fc.assert(
      fc.property(offsets, (some) => {
        const ranges = rangesOf(some);
        expect(isCanonical(all, ranges)).toBe(true);
        expect(countOf(ranges)).toBe(BigInt(some.length));
        expect(
          rangesOf(
            ranges.flatMap(({ begin, end }) =>
              Array.from({ length: Number(end - begin) }, (_, i) => begin + BigInt(i)),
            ),
          ),
        ).toEqual(ranges);
        expect(ranges.flatMap(({ begin, end }) => [begin, end - 1n]).every((offset) => some.includes(offset))).toBe(
          true,
        );
      }),
    );
  });

  it('and their rest are the whole', () => {
    fc.assert(
      fc.property(offsets, (some) => {
        const ranges = rangesOf(some);
        const rest = restOf(all, ranges) ?? expect.fail();
        expect(countOf(rest) + countOf(ranges)).toBe(40n);
        expect(restOf(all, [...rest, ...ranges])).toEqual([]);
      }),
    );
  });

  it('have no rest when they overlap or reach out', () => {
    expect(
      restOf(all, [
        { begin: 0n, end: 5n },
        { begin: 4n, end: 6n },
      ]),
    ).toBeUndefined();
    expect(restOf({ begin: 5n, end: 9n }, [{ begin: 4n, end: 6n }])).toBeUndefined();
    expect(restOf({ begin: 5n, end: 9n }, [{ begin: 8n, end: 10n }])).toBeUndefined();
  });
});
