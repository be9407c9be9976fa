import { setTimeout as sleep } from 'node:timers/promises';
import { MarketDataError } from '@aipx/market-model';

/** Something of the store that has failed and is tried again. */
export interface StoreFault {
  readonly operation: 'open' | 'putIfAbsent' | 'get' | 'list' | 'cleanUp' | 'encode';
  /** The key, for `open`, `list` and `cleanUp` the prefix, for `encode` the plan's key. */
  readonly key: string;
  readonly error: MarketDataError;
  /** Tries of this call that have failed, from 1. */
  readonly attempt: number;
  readonly retryInMs: number;
}

export interface Patience {
  readonly signal: AbortSignal;
  readonly onFault: (fault: StoreFault) => void;
  /** A call that had failed got through. */
  readonly onRecovered: () => void;
  readonly backoff: Backoff;
}

export interface Backoff {
  readonly floorMs: number;
  readonly capMs: number;
}

export const DEFAULT_BACKOFF: Backoff = { floorMs: 200, capMs: 30_000 };

/** Calls until it works, it fails for good, or the signal aborts. */
export async function persist<T>(
  { signal, onFault, onRecovered, backoff }: Patience,
  operation: StoreFault['operation'],
  key: string,
  call: () => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    signal.throwIfAborted();
    try {
      const result = await call();
      if (attempt > 1) onRecovered();
      return result;
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof MarketDataError && error.retryable)) throw error;
      const retryInMs = waitMs(backoff, attempt);
      onFault({ operation, key, error, attempt, retryInMs });
      await sleep(retryInMs, undefined, { signal });
    }
  }
}

/** Doubles up to the cap, and half of it again at random, so that partitions do not come back all at once. */
function waitMs({ floorMs, capMs }: Backoff, attempt: number): number {
  const base = Math.min(capMs, floorMs * 2 ** Math.min(attempt - 1, 30));
  return Math.round(base * (1 + Math.random() / 2));
}
