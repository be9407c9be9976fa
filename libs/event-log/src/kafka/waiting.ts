import { setTimeout as sleep } from 'node:timers/promises';
import { asMarketDataError, type MarketDataError } from '@aipx/market-model';

const FIRST_WAIT_MS = 50;
const LONGEST_WAIT_MS = 5_000;

/** Growing waits, each with up to half of it by chance, so that many who failed together do not return together. */
export class Backoff {
  readonly #calmMs: number;
  #next = FIRST_WAIT_MS;
  #waitedAt = 0;

  /** Trouble after so long without any is new trouble, and the waits grow anew. @default never */
  constructor(calmMs = Infinity) {
    this.#calmMs = calmMs;
  }

  /** @throws the signal's reason when it aborts */
  async wait(signal: AbortSignal): Promise<void> {
    if (performance.now() - this.#waitedAt > this.#calmMs) this.#next = FIRST_WAIT_MS;
    const milliseconds = this.#next * (1 + Math.random() / 2);
    this.#next = Math.min(this.#next * 2, LONGEST_WAIT_MS);
    await sleep(milliseconds, undefined, { signal }).catch(() => signal.throwIfAborted());
    this.#waitedAt = performance.now();
  }
}

export interface Patience {
  readonly signal: AbortSignal;
  /** Told of each try that failed. */
  readonly onFault: (error: MarketDataError) => void;
  /** Tries that fail in the first so many ms are not told: trouble that is expected, and passes. @default 0 */
  readonly quietMs?: number;
}

/**
 * Tries until it works, with growing waits between.
 *
 * @throws the first error that no retry can mend, or the signal's reason when it aborts
 */
export async function patiently<Result>(work: () => Promise<Result>, patience: Patience): Promise<Result> {
  const { signal, onFault, quietMs = 0 } = patience;
  const quietUntil = performance.now() + quietMs;
  const backoff = new Backoff();
  for (;;) {
    try {
      return await abortable(work(), signal);
    } catch (cause) {
      signal.throwIfAborted();
      const error = asMarketDataError(cause, 'CONNECTION_FAILED');
      if (!error.retryable) throw error;
      if (performance.now() >= quietUntil) onFault(error);
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

/**
 * As `abortable`, and a rejection with what `late` makes after so many ms. The work is given the signal that then aborts.
 */
export async function within<Result>(
  timeoutMs: number,
  stop: AbortSignal,
  late: () => MarketDataError,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const box = new AbortController();
  const timer = setTimeout(() => box.abort(late()), timeoutMs);
  const forward = () => box.abort(stop.reason);
  if (stop.aborted) forward();
  stop.addEventListener('abort', forward, { once: true });
  try {
    return await abortable(work(box.signal), box.signal);
  } finally {
    clearTimeout(timer);
    stop.removeEventListener('abort', forward);
  }
}

/** Waits; shorter if the signal aborts. */
export async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  await sleep(milliseconds, undefined, { signal }).catch(() => undefined);
}
