import type { Nanoseconds } from '@aipx/market-model';

/** Our clock, as `received_timestamp` carries it. */
export type Clock = () => Nanoseconds;

const NANOS_PER_MILLI = 1_000_000n;
const CHECK_EVERY: Nanoseconds = 1_000_000_000n;
const TOLERATED: Nanoseconds = 50_000_000n;

/**
 * Wall-clock time that never goes back: read once from the wall clock, then carried on by the monotonic one, so that a
 * clock set back cannot make a later frame look earlier. When the wall clock runs ahead (the machine slept, or its clock
 * was set forward) the time jumps forward with it.
 */
export function createWallClock(
  wallMillis: () => number = Date.now,
  monotonicNanos: () => bigint = process.hrtime.bigint,
): Clock {
  const wall = () => BigInt(wallMillis()) * NANOS_PER_MILLI;
  let checkedAt = monotonicNanos();
  let offset = wall() - checkedAt;
  return () => {
    const monotonic = monotonicNanos();
    if (monotonic - checkedAt >= CHECK_EVERY) {
      checkedAt = monotonic;
      const ahead = wall() - (monotonic + offset);
      if (ahead > TOLERATED) offset += ahead;
    }
    return monotonic + offset;
  };
}

/** The one clock of this process: times of different connections can be compared. */
export const wallClock: Clock = createWallClock();
