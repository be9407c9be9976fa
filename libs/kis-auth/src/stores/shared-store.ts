/** A value and how long it stands. */
export interface Entry {
  readonly value: string;
  /** From now on, in ms. */
  readonly ttlMs: number;
}

/**
 * A few short texts by name that all processes of a key see. Everything shared is built on one step, compare and set: a lock and
 * a lease are names that are taken while absent, renewed and given back by their holder only, and what was read can only be
 * replaced while it still stands. So whoever was overtaken while it slept changes nothing.
 *
 * All methods throw `MarketDataError` `STORE_UNAVAILABLE` (retryable) while the store is away, within seconds.
 */
export interface SharedStore {
  /** For messages: where it is. */
  readonly place: string;
  /** Whether calls fail now because it cannot be reached. */
  readonly isAway: boolean;

  read(name: string): Promise<string | undefined>;

  /**
   * Puts `next` in the place of `expected`; `undefined` stands for no value. Does nothing when another value stands there.
   *
   * @returns whether `next` stands there now, also when it did so before: an answer that was lost may be asked for again
   */
  swap(name: string, expected: string | undefined, next: Entry | undefined): Promise<boolean>;

  /**
   * Since when it can have known everything, in ms. A Redis that began a moment ago may have lost who holds what, and one that we
   * could not reach until then may have been out of everybody's reach while it ran out.
   */
  ageMs(): Promise<number>;

  /** Calls back whenever the store has been away and is there again, perhaps empty. Returns how to end that. */
  onReturn(listener: () => void): () => void;

  close(): Promise<void>;
}
