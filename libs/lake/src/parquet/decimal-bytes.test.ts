import { parseDecimal, type Decimal } from '@aipx/market-model';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decimalBytes, DecimalEncoder } from './decimal-bytes.js';

/** Reads the bytes back the slow and plain way. */
function valueOf(bytes: Uint8Array): bigint {
  return BigInt.asIntN(128, BigInt(`0x${Buffer.from(bytes).toString('hex')}`));
}

function textOf(unscaled: bigint): Decimal {
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(13, '0');
  return parseDecimal(`${unscaled < 0n ? '-' : ''}${digits.slice(0, -12)}.${digits.slice(-12)}`);
}

describe('decimalBytes', () => {
  it.each([
    ['0', 0n],
    ['1', 1_000_000_000_000n],
    ['-0.000000000001', -1n],
    ['99999999999999999999999999.999999999999', 10n ** 38n - 1n],
    ['-99999999999999999999999999.999999999999', 1n - 10n ** 38n],
    ['18446744.073709551616', 2n ** 64n],
    ['-18446744.073709551616', -(2n ** 64n)],
    ['9223372.036854775808', 2n ** 63n],
  ])('stores %s as %d', (text, unscaled) => {
    expect(valueOf(decimalBytes(parseDecimal(text)) ?? expect.fail())).toBe(unscaled);
  });

  it.each(['100000000000000000000000000', '0.0000000000001', '-0.1234567890123', '1e27'])(
    'has no room for %s',
    (text) => {
      expect(decimalBytes(parseDecimal(text))).toBeNull();
    },
  );

  it('holds every number of up to 26 digits before and 12 behind the point exactly', () => {
    const limit = 10n ** 38n - 1n;
    fc.assert(
      fc.property(fc.bigInt({ min: -limit, max: limit }), (unscaled) => {
        expect(valueOf(decimalBytes(textOf(unscaled)) ?? expect.fail())).toBe(unscaled);
      }),
    );
  });

  it.each([10n ** 13n, 10n ** 20n, 10n ** 27n, 10n ** 28n])(
    'holds every number below %d units of 10^-12 exactly',
    (limit) => {
      fc.assert(
        fc.property(fc.bigInt({ min: -limit, max: limit }), (unscaled) => {
          expect(valueOf(decimalBytes(textOf(unscaled)) ?? expect.fail())).toBe(unscaled);
        }),
      );
    },
  );

  it('is the same array for a value that comes again, so that the writer recognises it', () => {
    const encoder = new DecimalEncoder();
    expect(encoder.encode(parseDecimal('1.5'))).toBe(encoder.encode(parseDecimal('1.5')));
    expect(encoder.encode(parseDecimal('1e30'))).toBeNull();
    expect(encoder.encode(parseDecimal('1e30'))).toBeNull();
  });
});
