import { setTimeout as sleep } from 'node:timers/promises';
import { MarketDataError } from '@aipx/market-model';
import type { ObjectStore } from './object-store.js';

/** An outage of the store while it is being waited out. */
export interface StoreFault {
  readonly operation: 'putIfAbsent' | 'get' | 'list';
  /** The key, or for `list` the prefix. */
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

/**
 * The store as the protocol sees it: a call resolves, fails for good, or ends with the signal. What can be retried is
 * retried without end. A `putIfAbsent` of which the answer was lost may say `exists` about its own object; the protocol
 * reads back whatever exists anyway.
 */
export class PatientObjectStore {
  readonly #store: ObjectStore;
  readonly #patience: Patience;

  constructor(store: ObjectStore, patience: Patience) {
    this.#store = store;
    this.#patience = patience;
  }

  putIfAbsent(key: string, body: Uint8Array): Promise<'created' | 'exists'> {
    return this.#persist('putIfAbsent', key, () => this.#store.putIfAbsent(key, body));
  }

  get(key: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    return this.#persist('get', key, () => this.#store.get(key));
  }

  list(prefix: string): Promise<readonly string[]> {
    return this.#persist('list', prefix, () => collect(this.#store.list(prefix)));
  }

  async #persist<T>(operation: StoreFault['operation'], key: string, call: () => Promise<T>): Promise<T> {
    const { signal, onFault, onRecovered } = this.#patience;
    for (let attempt = 1; ; attempt += 1) {
      signal.throwIfAborted();
      try {
        const result = await call();
        if (attempt > 1) onRecovered();
        return result;
      } catch (error) {
        if (!(error instanceof MarketDataError && error.retryable)) throw error;
        const retryInMs = this.#waitMs(attempt);
        onFault({ operation, key, error, attempt, retryInMs });
        await sleep(retryInMs, undefined, { signal });
      }
    }
  }

  /** Doubles up to the cap, and half of it again at random, so that partitions do not come back all at once. */
  #waitMs(attempt: number): number {
    const { floorMs, capMs } = this.#patience.backoff;
    const base = Math.min(capMs, floorMs * 2 ** Math.min(attempt - 1, 30));
    return Math.round(base * (1 + Math.random() / 2));
  }
}

async function collect<T>(items: AsyncIterable<T>): Promise<readonly T[]> {
  const collected: T[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}
