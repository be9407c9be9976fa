import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';
import { redisUnavailable } from '@aipx/stack';
import { describe, expect, it, onTestFinished } from 'vitest';
import { KeyLease, systemClock, type LeaseHindrance } from '../src/index.js';
import type { SharedStore } from '../src/stores/shared-store.js';
import { oneAccount } from './support/keys.js';
import { connectedStore, testRedis, typed } from './support/redis.js';

const TTL_MS = 2_500;
/** Whoever waits looks every half second at least. */
const LATE_MS = 1_000;

describe.skipIf(redisUnavailable() !== undefined)('a lease that Redis', () => {
  async function scene() {
    const redis = await testRedis();
    const stop = new AbortController();
    onTestFinished(() => stop.abort());
    const [account] = (await oneAccount()).all;
    if (account === undefined) throw new Error('no account');
    const claim = async (
      onHindrance?: (hindrance: LeaseHindrance) => void,
      view: (store: SharedStore) => SharedStore = (store) => store,
    ) => {
      const redisStore = await connectedStore(redis);
      onTestFinished(() => redisStore.close());
      const store = view(redisStore);
      const options = { account, store, clock: systemClock, ttlMs: TTL_MS };
      return await KeyLease.claim(options, stop.signal, onHindrance);
    };
    return { redis, claim, stop };
  }

  /** The first hindrance of this kind. */
  function hindrance(claim: (tell: (hindrance: LeaseHindrance) => void) => Promise<KeyLease>, kind: string) {
    const { promise, resolve } = Promise.withResolvers<LeaseHindrance>();
    void claim((found) => {
      if (found.kind === kind) resolve(found);
    }).catch(() => undefined);
    return promise;
  }

  it.each([
    ['ACL SETUSER default -eval', 'NOPERM'],
    ['CONFIG SET maxmemory 1', 'OOM'],
  ])('does not take after "%s" is nobody’s, and the claim says why', async (command, why) => {
    const { redis, claim } = await scene();
    await sleep(TTL_MS);
    await typed(redis, command);
    const found = await hindrance(claim, 'store');
    expect(inspect(found)).toContain(`refuses: ${why}`);
  });

  it('has given to another one says so', async () => {
    const { claim } = await scene();
    const held = await claim();
    onTestFinished(() => held.release());
    expect(await hindrance(claim, 'held')).toEqual({ kind: 'held' });
  });

  it('let run out while nobody could reach it stays its holder’s, who comes back after others', async () => {
    const { redis, claim } = await scene();
    let isBack = Promise.resolve();
    const held = await claim(undefined, (store) => ({
      place: store.place,
      isAway: false,
      read: (name) => store.read(name),
      swap: (...step) => isBack.then(() => store.swap(...step)),
      ageMs: () => store.ageMs(),
      onReturn: (listener) => store.onReturn(listener),
      close: () => store.close(),
    }));
    let isTaken = false;
    const seen = Promise.withResolvers<undefined>();
    const successor = claim(({ kind }) => {
      if (kind === 'held') seen.resolve(undefined);
    }).then((lease) => {
      isTaken = true;
      return lease;
    });
    await seen.promise;
    const pid = redis.server.pid ?? expect.unreachable('Redis runs');
    process.kill(pid, 'SIGSTOP');
    isBack = sleep(2 * TTL_MS + LATE_MS).then(() => undefined);
    await sleep(2 * TTL_MS);
    process.kill(pid, 'SIGCONT');
    await sleep(TTL_MS);
    expect(held.lost.aborted).toBe(false);
    expect(isTaken).toBe(false);
    await held.release();
    await (await successor).release();
  });
});
