import { Big } from 'big.js';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { addDecimal } from './decimal-sum.js';
import { parseDecimal } from './decimal.js';

it('adds exactly, as an independent decimal implementation does', () => {
  const text = fc
    .tuple(fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }), fc.nat(20))
    .map(([digits, scale]) => `${digits}e-${scale}`);
  fc.assert(
    fc.property(text, text, (a, b) => {
      const sum = addDecimal(parseDecimal(a), parseDecimal(b));
      expect(sum).toBe(parseDecimal(new Big(a).plus(new Big(b)).toFixed()));
    }),
  );
});
