import { parseDecimal, type Decimal } from '@aipx/market-model';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DECIMAL_LIMBS, fitsDecimal, toLimbs } from './decimal-limbs.js';

/** What the limbs of a text stand for, read the slow and plain way; `null` when it does not fit. */
function unscaled(text: string): bigint | null {
  const limbs = new Int32Array(DECIMAL_LIMBS).fill(-1); // as if another value had been there
  if (!toLimbs(parseDecimal(text), limbs)) return null;
  const value = limbs.reduce((high, limb) => (high << 32n) | BigInt.asUintN(32, BigInt(limb)), 0n);
  return BigInt.asIntN(128, value);
}

function textOf(units: bigint): Decimal {
  const digits = (units < 0n ? -units : units).toString().padStart(13, '0');
  return parseDecimal(`${units < 0n ? '-' : ''}${digits.slice(0, -12)}.${digits.slice(-12)}`);
}

describe('toLimbs', () => {
  it.each([
    ['0', 0n],
    ['1', 1_000_000_000_000n],
    ['0.000000000001', 1n],
    ['-0.000000000001', -1n],
    ['99999999999999999999999999.999999999999', 10n ** 38n - 1n],
    ['-99999999999999999999999999.999999999999', 1n - 10n ** 38n],
    ['18446744.073709551616', 2n ** 64n],
    ['-18446744.073709551616', -(2n ** 64n)],
    ['9223372.036854775808', 2n ** 63n],
    ['0.004294967296', 2n ** 32n],
    ['-0.004294967296', -(2n ** 32n)],
    ['999999999999999.999999999999', 10n ** 27n - 1n],
    ['9999999999999999.999999999999', 10n ** 28n - 1n],
  ])('holds %s as %d', (text, units) => {
    expect(unscaled(text)).toBe(units);
  });

  it.each([
    '100000000000000000000000000',
    '-100000000000000000000000000.5',
    '0.0000000000001',
    '-0.1234567890123',
    '1e27',
  ])('has no room for %s', (text) => {
    expect(unscaled(text)).toBeNull();
    expect(fitsDecimal(parseDecimal(text))).toBe(false);
  });

  it.each([38, 28, 27, 20, 13])('holds every number of up to %d digits exactly', (digits) => {
    const limit = 10n ** BigInt(digits) - 1n;
    fc.assert(
      fc.property(fc.bigInt({ min: -limit, max: limit }), (units) => {
        expect(unscaled(textOf(units))).toBe(units);
      }),
    );
  });
});

describe('fitsDecimal', () => {
  it('is exactly whether the number has at most 26 digits before the point and 12 behind', () => {
    const number = fc.stringMatching(/^-?[1-9]\d{0,29}(\.\d{0,14}[1-9])?$/);
    fc.assert(
      fc.property(number, (text) => {
        const [whole = '', fraction = ''] = text.replace('-', '').split('.');
        expect(fitsDecimal(parseDecimal(text))).toBe(whole.length <= 26 && fraction.length <= 12);
      }),
    );
  });
});
