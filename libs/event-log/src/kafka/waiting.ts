import { setTimeout as sleep } from 'node:timers/promises';
import { asMarketDataError, type MarketDataError } from '@aipx/market-model';

const FIRST_WAIT_MS = 50;
const LONGEST_WAIT_MS = 5_000;

/** Growing waits, each with up to half of it by chance, so that many who failed together do not return together. */
export class Backoff {
  #next = FIRST_WAIT_MS;

  /** @throws the signal's reason when it aborts */
  async wait(signal: AbortSignal): Promise<void> {
    const milliseconds = this.#next * (1 + Math.random() / 2);
    this.#next = Math.min(this.#next * 2, LONGEST_WAIT_MS);
    await sleep(milliseconds, undefined, { signal }).catch(() => signal.throwIfAborted());
  }

  reset(): void {
    this.#next = FIRST_WAIT_MS;
  }
}

export interface Patience {
  readonly signal: AbortSignal;
  /** Told of each try that failed. */
  readonly onFault: (error: MarketDataError) => void;
  /** So many first tries may fail without a word. @default 0 */
  readonly quietTries?: number;
}

/**
 * Tries until it works, with growing waits between.
 *
 * @throws the first error that no retry can mend, or the signal's reason when it aborts
 */
export async function patiently<Result>(work: () => Promise<Result>, patience: Patience): Promise<Result> {
  const { signal, onFault, quietTries = 0 } = patience;
  const backoff = new Backoff();
  for (let tries = 1; ; tries += 1) {
    try {
      return await abortable(work(), signal);
    } catch (cause) {
      signal.throwIfAborted();
      const error = asMarketDataError(cause, 'CONNECTION_FAILED');
      if (!error.retryable) throw error;
      if (tries > quietTries) onFault(error);
    }
    await backoff.wait(signal);
  }
}

/** The outcome of the work, or a rejection with the signal's reason as soon as that aborts; the work itself goes on. */
export async function abortable<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> {
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason);
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  work.catch(() => undefined); // nobody may be waiting any more
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** Resolves when the signal aborts. */
export async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
}
