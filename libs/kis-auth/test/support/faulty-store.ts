import { MarketDataError } from '@aipx/market-model';
import { FileStore } from '../../src/stores/file-store.js';
import type { Entry, SharedStore } from '../../src/stores/shared-store.js';
import type { ManualClock } from './manual-clock.js';

/** A store in memory that goes away and comes back when the test says so. */
export class FaultyStore implements SharedStore {
  readonly place = 'a faulty store';
  isAway = false;
  /** Somebody else is always faster. */
  isContended = false;
  age = Number.POSITIVE_INFINITY;
  /** A step of the test between the reading of a name and whatever is done with it. */
  onRead: (name: string) => Promise<void> | void = () => undefined;
  readonly #store: FileStore;
  readonly #listeners = new Set<() => void>();

  constructor(clock: ManualClock) {
    this.#store = FileStore.inMemory(clock);
  }

  comeBack(): void {
    this.isAway = false;
    for (const listener of this.#listeners) listener();
  }

  async read(name: string): Promise<string | undefined> {
    this.#check();
    const text = await this.#store.read(name);
    await this.onRead(name);
    return text;
  }

  async swap(name: string, expected: string | undefined, next: Entry | undefined): Promise<boolean> {
    this.#check();
    return !this.isContended && (await this.#store.swap(name, expected, next));
  }

  async ageMs(): Promise<number> {
    this.#check();
    return await Promise.resolve(this.age);
  }

  onReturn(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  #check(): void {
    if (this.isAway) throw new MarketDataError('STORE_UNAVAILABLE', `${this.place} is away`, { retryable: true });
  }
}
