import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backOff, backoffMillis } from './backoff.js';

describe('the wait after a failure', () => {
  it('doubles from 0.1 s to 10 s', () => {
    expect([0, 1, 2, 6, 7, 1000].map((failures) => backoffMillis(failures, 1))).toEqual([
      100, 200, 400, 6400, 10_000, 10_000,
    ]);
  });

  it('leaves half of it to chance, so that not all come back together', () => {
    fc.assert(
      fc.property(fc.nat(), fc.double({ min: 0, max: 1, noNaN: true }), (failures, chance) => {
        const longest = backoffMillis(failures, 1);
        expect(backoffMillis(failures, chance)).toBeGreaterThanOrEqual(longest / 2);
        expect(backoffMillis(failures, chance)).toBeLessThanOrEqual(longest);
      }),
    );
  });

  it('ends when the signal aborts, with its reason', async () => {
    const abort = new AbortController();
    const waiting = backOff(1000, abort.signal);
    abort.abort(new Error('stopped'));
    await expect(waiting).rejects.toThrow('stopped');
    await expect(backOff(1000, abort.signal)).rejects.toThrow('stopped');
  });
});
