import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createWallClock, wallClock } from './clock.js';

describe('the receive clock', () => {
  it('tells the wall clock’s time in nanoseconds', () => {
    const before = BigInt(Date.now() - 60) * 1_000_000n;
    const now = wallClock();
    expect(now).toBeGreaterThan(before);
    expect(now).toBeLessThan(BigInt(Date.now() + 60) * 1_000_000n);
  });

  it('resolves what lies between two milliseconds', () => {
    let monotonic = 5n;
    const clock = createWallClock(
      () => 1_700_000_000_000,
      () => monotonic,
    );
    monotonic += 1_234n;
    expect(clock()).toBe(1_700_000_000_000_001_234n);
  });

  it('never goes back, whatever the wall clock does', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: -86_400_000, max: 86_400_000 }), fc.nat({ max: 5_000 }))),
        (steps) => {
          let wall = 1_700_000_000_000;
          let monotonic = 0n;
          const clock = createWallClock(
            () => wall,
            () => monotonic,
          );
          let last = clock();
          for (const [wallStep, millis] of steps) {
            wall += wallStep;
            monotonic += BigInt(millis) * 1_000_000n;
            const now = clock();
            expect(now >= last).toBe(true);
            last = now;
          }
        },
      ),
    );
  });

  it('follows the wall clock forward within a second, after the machine slept', () => {
    let wall = 1_700_000_000_000;
    let monotonic = 0n;
    const clock = createWallClock(
      () => wall,
      () => monotonic,
    );
    wall += 3_600_000;
    monotonic += 1_000_000_000n;
    expect(clock()).toBe(1_700_003_600_000_000_000n);
  });
});
