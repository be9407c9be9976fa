import { MarketDataError } from '@aipx/market-model';
import { describe, expect, it, onTestFinished } from 'vitest';
import { KeyLease, KisAccount } from '../src/index.js';
import { FaultyStore } from './support/faulty-store.js';
import { API_KEY, API_SECRET, MORNING } from './support/keys.js';
import { ManualClock } from './support/manual-clock.js';

const TTL_MS = 30_000;
const account = new KisAccount('main', 'real', API_KEY, API_SECRET);

async function held() {
  const clock = new ManualClock(MORNING);
  const store = new FaultyStore(clock);
  const lease = await KeyLease.claim({ account, store, clock, ttlMs: TTL_MS }, new AbortController().signal);
  onTestFinished(() => lease.release());
  const pass = async (ms: number) => {
    await clock.sleeping();
    clock.advance(ms);
    await new Promise(setImmediate);
  };
  return { store, lease, pass };
}

/** It answers, so it is not away. */
function refuse(store: FaultyStore): MarketDataError {
  const refusal = new MarketDataError('STORE_UNAVAILABLE', 'a faulty store refuses: OOM', { retryable: true });
  store.swap = () => Promise.reject(refusal);
  return refusal;
}

describe('a lease that a store refuses to renew, and answers', () => {
  it('says so once half of its life has gone by, and no longer when it is renewed', async () => {
    const { store, lease, pass } = await held();
    const swap = store.swap.bind(store);
    const refusal = refuse(store);
    await pass(TTL_MS / 3);
    expect(lease.renewalFailure).toBeUndefined();
    await pass(TTL_MS / 3);
    expect(lease.renewalFailure).toBe(refusal);
    expect(lease.isHeld).toBe(true);
    store.swap = swap;
    await pass(TTL_MS / 3);
    expect(lease.renewalFailure).toBeUndefined();
  });

  it('says nothing when it has been given back', async () => {
    const { store, lease, pass } = await held();
    refuse(store);
    await pass(TTL_MS / 3);
    await pass(TTL_MS / 3);
    await lease.release();
    expect(lease.renewalFailure).toBeUndefined();
  });
});
