import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom } from './random.js';

function draw(seed: number, salt = '', count = 50): number[] {
  const random = seededRandom(seed, salt);
  return Array.from({ length: count }, random);
}

describe('seededRandom', () => {
  it('repeats itself for the same seed and salt', () => {
    fc.assert(
      fc.property(fc.integer(), fc.string(), (seed, salt) => {
        expect(draw(seed, salt)).toEqual(draw(seed, salt));
      }),
    );
  });

  it('differs by seed and by salt', () => {
    expect(draw(1)).not.toEqual(draw(2));
    expect(draw(1, 'KRW-BTC')).not.toEqual(draw(1, 'KRW-ETH'));
  });

  it('stays from 0 to below 1 and spreads evenly', () => {
    const numbers = draw(7, '', 100_000);
    expect(numbers.every((number) => number >= 0 && number < 1)).toBe(true);
    for (let tenth = 0; tenth < 10; tenth += 1) {
      expect(numbers.filter((number) => Math.floor(number * 10) === tenth).length / 100_000).toBeCloseTo(0.1, 2);
    }
  });
});
