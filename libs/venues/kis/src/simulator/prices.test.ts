import { describe, expect, it } from 'vitest';
import { above, below, limitsOf, stepAt } from './prices.js';

describe('the price grid of KRX', () => {
  it.each([
    [1_999, 1],
    [2_000, 5],
    [4_995, 5],
    [5_000, 10],
    [19_990, 10],
    [20_000, 50],
    [49_950, 50],
    [50_000, 100],
    [199_900, 100],
    [200_000, 500],
    [499_500, 500],
    [500_000, 1_000],
  ])('steps at %i by %i', (price, step) => {
    expect(stepAt(price)).toBe(step);
    expect(below(above(price))).toBe(price);
  });

  it('changes its step at a border, also on the way down', () => {
    expect(below(2_000)).toBe(1_999);
    expect(below(500_000)).toBe(499_500);
  });

  it('limits a day to 30 % around the previous close', () => {
    expect(limitsOf(71_900)).toEqual({ upper: 93_400, lower: 50_400 });
    expect(limitsOf(1_274)).toEqual({ upper: 1_656, lower: 892 });
  });
});
