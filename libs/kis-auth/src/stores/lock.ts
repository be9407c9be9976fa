import { randomUUID } from 'node:crypto';
import type { SharedStore } from './shared-store.js';

/** The right to do something once among all processes, until it is released or its time is over. */
export interface Lock {
  /** Never throws: a lock that cannot be given back ends by itself. */
  release(): Promise<void>;
}

/**
 * Takes the name in each store, in order, or in none.
 *
 * @returns `undefined` while somebody else has one of them
 * @throws {MarketDataError} `STORE_UNAVAILABLE` when a store is away
 */
export async function tryLock(stores: readonly SharedStore[], name: string, ttlMs: number): Promise<Lock | undefined> {
  const holder = randomUUID();
  const taken: SharedStore[] = [];
  const release = async () => {
    await Promise.allSettled(taken.toReversed().map((store) => store.swap(name, holder, undefined)));
  };
  try {
    for (const store of stores) {
      // Noted first: a claim whose answer is lost may stand.
      taken.push(store);
      if (await store.swap(name, undefined, { value: holder, ttlMs })) continue;
      await release();
      return undefined;
    }
  } catch (error) {
    await release();
    throw error;
  }
  return { release };
}
