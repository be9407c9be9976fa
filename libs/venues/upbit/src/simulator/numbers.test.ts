import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { javaBigDecimal, javaDouble, padded, pythonFloat, shortest, withPoint } from './numbers.js';

const spellings = { javaBigDecimal, javaDouble, padded, pythonFloat, shortest, withPoint };

describe('the spellings of the wire', () => {
  it.each([
    [javaDouble(116_539_000, 0), '1.16539E8'],
    [javaDouble(79_276, 8), '7.9276E-4'],
    [javaDouble(50_000, 8), '5.0E-4'],
    [javaDouble(1_000_000_000_000_000, 8), '1.0E7'],
    [javaDouble(999_999_900_000_000, 8), '9999999.0'],
    [javaDouble(100_000, 8), '0.001'],
    [javaDouble(0, 8), '0.0'],
    [javaBigDecimal(6, 8), '6E-8'],
    [javaBigDecimal(12, 8), '1.2E-7'],
    [javaBigDecimal(113, 8), '0.00000113'],
    [javaBigDecimal(400_000_000, 8), '4.00000000'],
    [pythonFloat(9_101, 8), '9.101e-05'],
    [pythonFloat(1, 8), '1e-08'],
    [pythonFloat(509_799, 8), '0.00509799'],
    [padded(77_720, 8), '0.00077720'],
    [padded(12_300_000_000, 8), '123.00000000'],
    [withPoint(109_847_000, 0), '109847000.0'],
    [withPoint(12_750_000_000, 8), '127.5'],
    [shortest(109_867_000, 0), '109867000'],
    [shortest(995_450, 8), '0.0099545'],
    [shortest(2_575_227_555_420_627, 8), '25752275.55420627'],
  ])('%s', (text, expected) => {
    expect(text).toBe(expected);
  });

  it.each(Object.entries(spellings))('%s says the same number, every digit of it', (_, spell) => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.integer({ min: 0, max: 8 }), (value, decimals) => {
        const text = spell(value, decimals);
        expect(text).toMatch(/^\d+(\.\d+)?([eE]-?\d+)?$/);
        expect(scaled(text, decimals)).toBe(BigInt(value));
      }),
    );
  });
});

/** The number of 10^-decimals in a text, exactly. Fails when the text has more decimals than that, zeros aside. */
function scaled(text: string, decimals: number): bigint {
  const [mantissa = '', exponent = '0'] = text.split(/[eE]/);
  const [whole = '', fraction = ''] = mantissa.split('.');
  const shift = decimals + Number(exponent) - fraction.length;
  const digits = BigInt(whole + fraction);
  if (shift >= 0) return digits * 10n ** BigInt(shift);
  expect(digits % 10n ** BigInt(-shift)).toBe(0n);
  return digits / 10n ** BigInt(-shift);
}
