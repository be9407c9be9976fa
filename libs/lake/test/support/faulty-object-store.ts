import { MarketDataError } from '@aipx/market-model';
import type { ObjectStore } from '../../src/object-store/object-store.js';

/** Where in a call something happens: before the store is asked, or after it has done what it was asked. */
export type Moment = 'before' | 'after';
export type Fault = (
  call: { readonly index: number; readonly operation: string; readonly key: string },
  moment: Moment,
) => void | Promise<void>;

/** A real object store that a test can disturb at each call. */
export class FaultyObjectStore implements ObjectStore {
  readonly #store: ObjectStore;
  readonly #fault: Fault;
  #calls = 0;

  constructor(store: ObjectStore, fault: Fault) {
    this.#store = store;
    this.#fault = fault;
  }

  get calls(): number {
    return this.#calls;
  }

  putIfAbsent(key: string, body: Uint8Array): Promise<'created' | 'exists'> {
    return this.#around('putIfAbsent', key, () => this.#store.putIfAbsent(key, body));
  }

  get(key: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    return this.#around('get', key, () => this.#store.get(key));
  }

  async *list(prefix: string): AsyncGenerator<string> {
    yield* await this.#around('list', prefix, async () => {
      const keys: string[] = [];
      for await (const key of this.#store.list(prefix)) keys.push(key);
      return keys;
    });
  }

  async #around<T>(operation: string, key: string, call: () => Promise<T>): Promise<T> {
    const made = { index: this.#calls, operation, key };
    this.#calls += 1;
    await this.#fault(made, 'before');
    const result = await call();
    await this.#fault(made, 'after');
    return result;
  }
}

/** What a process that is killed leaves to its caller here: no retry can follow. */
export class Killed extends Error {
  override readonly name = 'Killed';
}

export function outageOf(code: string): MarketDataError {
  return new MarketDataError('STORE_UNAVAILABLE', `${code}: injected by the test`, { retryable: true });
}
