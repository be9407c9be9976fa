/** What every attempt tells; times in ms since the epoch. */
export interface Attempt {
  /** Of its outcome, as far as that is known. */
  readonly at: number;
  /** Nobody tries again before. */
  readonly notBefore: number;
}

/** By which clocks of machines may differ. */
const TOLERANCE_MS = 60_000;

/**
 * An attempt from the future was made before a clock was set back: it counts as one of now, so that the wait after it is as long as
 * it should be and not longer by what the clock was wrong.
 */
export function anchored<T extends Attempt>(attempt: T, now: number): T {
  if (attempt.at <= now + TOLERANCE_MS) return attempt;
  return { ...attempt, at: now, notBefore: now + Math.max(0, attempt.notBefore - attempt.at) };
}
