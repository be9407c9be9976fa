import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromEpochMicros, fromEpochMillis, toEpochMicros, toIsoText } from './time.js';

const EARLIEST_MILLIS = Date.UTC(2000, 0, 1);
const LATEST_MILLIS = Date.UTC(2100, 0, 1);

describe('fromEpochMillis', () => {
  it('gives nanoseconds', () => {
    expect(fromEpochMillis('1618678262712')).toBe(1_618_678_262_712_000_000n);
  });

  it('is exact for every millisecond from 2000 to 2100', () => {
    fc.assert(
      fc.property(fc.integer({ min: EARLIEST_MILLIS, max: LATEST_MILLIS - 1 }), (millis) => {
        expect(fromEpochMillis(String(millis))).toBe(BigInt(millis) * 1_000_000n);
      }),
    );
  });

  it.each([
    '',
    '0',
    '-1',
    '1.5',
    '1618678262712.0',
    '1.6E12',
    ' 1',
    '1\n',
    'x',
    '1691530805062000',
    '1618678262',
    String(EARLIEST_MILLIS - 1),
    String(LATEST_MILLIS),
  ])('refuses %j', (raw) => {
    expect(() => fromEpochMillis(raw)).toThrow(expect.objectContaining({ code: 'VALIDATION_TIME' }));
  });

  it('names the value and what would be right', () => {
    expect(() => fromEpochMillis('yesterday')).toThrow('not a time: "yesterday"; expected milliseconds since 1970');
  });
});

describe('fromEpochMicros', () => {
  it('keeps every microsecond', () => {
    expect(fromEpochMicros('1691530805062001')).toBe(1_691_530_805_062_001_000n);
    fc.assert(
      fc.property(
        fc.bigInt({ min: BigInt(EARLIEST_MILLIS) * 1000n, max: BigInt(LATEST_MILLIS) * 1000n - 1n }),
        (micros) => {
          expect(fromEpochMicros(String(micros))).toBe(micros * 1000n);
        },
      ),
    );
  });

  it.each(['', '0', '-5', '1.5', 'x', '16915308050620001', '1618678262712', `${LATEST_MILLIS}000`])(
    'refuses %j',
    (raw) => {
      expect(() => fromEpochMicros(raw)).toThrow(expect.objectContaining({ code: 'VALIDATION_TIME' }));
    },
  );
});

describe('toEpochMicros', () => {
  it('rounds down, also before 1970: never to the future', () => {
    expect([1999n, 2000n, -1n, -1000n, -1001n].map(toEpochMicros)).toEqual([1n, 2n, -1n, -1n, -2n]);
  });

  it('is the largest microsecond that is not after the time', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (time) => {
        const micros = toEpochMicros(time);
        expect(micros * 1000n <= time && time < (micros + 1n) * 1000n).toBe(true);
      }),
    );
  });
});

describe('toIsoText', () => {
  it('is UTC with every nanosecond that there is', () => {
    expect(toIsoText(1_618_678_262_712_345_678n)).toBe('2021-04-17T16:51:02.712345678Z');
    expect(toIsoText(0n)).toBe('1970-01-01T00:00:00Z');
  });

  it('is right before 1970 as well', () => {
    expect(toIsoText(-1n)).toBe('1969-12-31T23:59:59.999999999Z');
  });

  it('keeps the instant, for every int64', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (time) => {
        expect(Temporal.Instant.from(toIsoText(time)).epochNanoseconds).toBe(time);
      }),
    );
  });
});
