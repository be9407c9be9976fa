import type { ObjectStore } from './object-store.js';
import { persist, type Patience } from './patience.js';

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
    const { signal } = this.#patience;
    return persist(this.#patience, 'putIfAbsent', key, () => this.#store.putIfAbsent(key, body, signal));
  }

  get(key: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const { signal } = this.#patience;
    return persist(this.#patience, 'get', key, () => this.#store.get(key, signal));
  }

  list(prefix: string): Promise<readonly string[]> {
    const { signal } = this.#patience;
    return persist(this.#patience, 'list', prefix, () => collect(this.#store.list(prefix, signal)));
  }
}

async function collect<T>(items: AsyncIterable<T>): Promise<readonly T[]> {
  const collected: T[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}
