import { setTimeout as sleep } from 'node:timers/promises';

const FLOOR_MS = 100;
const CAP_MS = 10_000;

/** How long to wait after the n-th failure in a row, in ms: doubling from 0.1 s to 10 s, half of it left to chance. */
export function backoffMillis(failures: number, chance: number = Math.random()): number {
  const longest = Math.min(CAP_MS, FLOOR_MS * 2 ** Math.min(failures, 30));
  return longest / 2 + (longest / 2) * chance;
}

/** Waits before the next try. Rejects with the signal's reason when it aborts. */
export async function backOff(failures: number, signal: AbortSignal): Promise<void> {
  await sleep(backoffMillis(failures), undefined, { signal }).catch(() => {
    signal.throwIfAborted();
  });
}
