import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ConnectTurn } from './connect-gate.js';
import { ConnectLimiter } from './connect-limiter.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Asks for `count` turns and notes when each begins, ms from now. */
function ask(limiter: ConnectLimiter, count: number) {
  const origin = performance.now();
  const begun: number[] = [];
  const turns = Array.from({ length: count }, (_, index) =>
    limiter.request(() => (begun[index] = performance.now() - origin)),
  );
  return { begun, turns };
}

describe('a limit of connection attempts', () => {
  it('lets as many begin at once as the venue allows, the others wait', async () => {
    const limiter = new ConnectLimiter({ attempts: 2, perMs: 1_000 });
    const { begun } = ask(limiter, 3);
    expect(begun).toEqual([0, 0]);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(begun).toEqual([0, 0]);
  });

  it('counts the time from the outcome of an attempt, since nobody knows when the venue counted it', async () => {
    const limiter = new ConnectLimiter({ attempts: 2, perMs: 1_000 });
    const { begun, turns } = ask(limiter, 4);
    await vi.advanceTimersByTimeAsync(300);
    turns[0]?.release();
    await vi.advanceTimersByTimeAsync(200);
    turns[1]?.release();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(begun).toEqual([0, 0, 1_300, 1_500]);
  });

  it('lets a turn be given back again and again, and counts it once', async () => {
    const limiter = new ConnectLimiter({ attempts: 1, perMs: 1_000 });
    const { begun, turns } = ask(limiter, 3);
    for (let n = 0; n < 3; n += 1) turns[0]?.release();
    await vi.advanceTimersByTimeAsync(5_000);
    turns[0]?.release();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(begun).toEqual([0, 1_000]);
  });

  it('forgets whoever no longer waits, keeps the order of the others, and leaves no timer when none is left', async () => {
    const limiter = new ConnectLimiter({ attempts: 1, perMs: 1_000 });
    const { begun, turns } = ask(limiter, 4);
    turns[0]?.release();
    turns[1]?.release();
    expect(vi.getTimerCount()).toBe(1);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(begun).toEqual([0, undefined, 1_000]);
    turns[2]?.release();
    turns[3]?.release();
    expect(vi.getTimerCount()).toBe(0);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(begun).toEqual([0, undefined, 1_000]);
  });

  it('waits again when a timer is early', async () => {
    let nowMs = 0;
    const limiter = new ConnectLimiter({ attempts: 1, perMs: 100 }, () => nowMs);
    const { begun, turns } = ask(limiter, 2);
    turns[0]?.release();
    nowMs = 99.5;
    await vi.advanceTimersByTimeAsync(100);
    expect(begun).toEqual([0]);
    nowMs = 100.5;
    await vi.advanceTimersByTimeAsync(1);
    expect(begun).toHaveLength(2);
  });

  it('never lets the venue see more than the limit, wherever on the way it counts', async () => {
    const attempt = fc.record({
      askedAfter: fc.nat({ max: 300 }),
      takes: fc.nat({ max: 400 }),
      countedAt: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    const limits = fc.record({ attempts: fc.integer({ min: 1, max: 4 }), perMs: fc.integer({ min: 1, max: 500 }) });
    await fc.assert(
      fc.asyncProperty(limits, fc.array(attempt, { maxLength: 30 }), async (limit, attempts) => {
        const limiter = new ConnectLimiter(limit);
        const counted: number[] = [];
        for (const { askedAfter, takes, countedAt } of attempts) {
          await vi.advanceTimersByTimeAsync(askedAfter);
          const turn: ConnectTurn = limiter.request(() => {
            counted.push(performance.now() + takes * countedAt);
            setTimeout(() => turn.release(), takes);
          });
        }
        await vi.runAllTimersAsync();
        expect(counted).toHaveLength(attempts.length);
        counted.sort((a, b) => a - b);
        for (const [index, at] of counted.entries()) {
          expect(at - (counted[index - limit.attempts] ?? -Infinity)).toBeGreaterThanOrEqual(limit.perMs);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('refuses a limit that cannot be, naming the value', () => {
    expect(() => new ConnectLimiter({ attempts: 0, perMs: 1_000 })).toThrow(
      /^connectLimit.attempts is 0; expected a whole number above 0/,
    );
    expect(() => new ConnectLimiter({ attempts: 5, perMs: Number.NaN })).toThrow(
      /^connectLimit.perMs is null; expected/,
    );
  });
});
