import { setTimeout as timer } from 'node:timers/promises';

/** Time and chance as everything here sees them, so that a test can let a day pass. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
  /** @throws the signal's reason when it is aborted */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** From 0 to below 1. */
  random(): number;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: async (ms, signal) => {
    await timer(ms, undefined, { signal }).catch(() => undefined);
    signal.throwIfAborted();
  },
  random: () => Math.random(),
};
