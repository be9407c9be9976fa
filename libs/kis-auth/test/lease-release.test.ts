import { MarketDataError } from '@aipx/market-model';
import { describe, expect, it, onTestFinished } from 'vitest';
import { KeyLease, KisAccount } from '../src/index.js';
import { tryLock } from '../src/stores/lock.js';
import { FaultyStore } from './support/faulty-store.js';
import { API_KEY, API_SECRET, MORNING } from './support/keys.js';
import { ManualClock } from './support/manual-clock.js';

const { signal } = new AbortController();
const TTL_MS = 30_000;
const account = new KisAccount('main', 'real', API_KEY, API_SECRET);
const LEASE = `kis:lease:real:${account.keyHash}`;

/** The next change is made, and looks as if it had failed. */
function loseAnswer(store: FaultyStore): void {
  const swap = store.swap.bind(store);
  store.swap = async (...step) => {
    store.swap = swap;
    await swap(...step);
    throw new MarketDataError('STORE_UNAVAILABLE', 'no answer', { retryable: true });
  };
}

describe('a lease that is given back', () => {
  it.each([
    ['while it is renewed', false],
    ['while it is renewed twice', true],
  ])('%s is free then, and is not taken again', async (_, isTwice) => {
    const clock = new ManualClock(MORNING);
    const store = new FaultyStore(clock);
    const lease = await KeyLease.claim({ account, store, clock, ttlMs: TTL_MS }, signal);
    onTestFinished(() => lease.release());
    const swap = store.swap.bind(store);
    const [renews, mayRenew] = [Promise.withResolvers<undefined>(), Promise.withResolvers<undefined>()];
    store.swap = async (...step) => {
      store.swap = swap;
      renews.resolve(undefined);
      await mayRenew.promise;
      return await swap(...step);
    };
    await clock.sleeping();
    clock.advance(TTL_MS / 3);
    await renews.promise;
    if (isTwice) store.comeBack();
    const released = lease.release();
    await new Promise(setImmediate);
    mayRenew.resolve(undefined);
    await released;
    await new Promise(setImmediate);
    expect(await store.read(LEASE)).toBeUndefined();
    expect(lease.lost.aborted).toBe(false);
  });
});

describe('a claim of a lease', () => {
  it('that was taken, though the answer was lost, is given back when nobody waits for it any more', async () => {
    const clock = new ManualClock(MORNING);
    const store = new FaultyStore(clock);
    loseAnswer(store);
    const stop = new AbortController();
    const claimed = KeyLease.claim({ account, store, clock, ttlMs: TTL_MS }, stop.signal).catch(
      (error: unknown) => error,
    );
    await clock.sleeping();
    expect(await store.read(LEASE)).toBeDefined();
    stop.abort(new Error('stopped'));
    expect(await claimed).toMatchObject({ message: 'stopped' });
    expect(await store.read(LEASE)).toBeUndefined();
  });
});

describe('a lock', () => {
  it('whose claim was taken, though the answer was lost, is given back', async () => {
    const store = new FaultyStore(new ManualClock(MORNING));
    loseAnswer(store);
    await expect(tryLock([store], 'a', TTL_MS)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect(await store.read('a')).toBeUndefined();
  });

  it('that ran out and is another’s by then stays the other’s when it is released', async () => {
    const clock = new ManualClock(MORNING);
    const store = new FaultyStore(clock);
    const slow = await tryLock([store], 'a', TTL_MS);
    clock.advance(TTL_MS);
    await tryLock([store], 'a', TTL_MS);
    await slow?.release();
    expect(await tryLock([store], 'a', TTL_MS)).toBeUndefined();
  });
});
