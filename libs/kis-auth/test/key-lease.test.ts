import { once } from 'node:events';
import { redisUnavailable } from '@aipx/stack';
import { describe, expect, it, onTestFinished } from 'vitest';
import { KeyLease, type LeaseHindrance } from '../src/index.js';
import type { SharedStore } from '../src/stores/shared-store.js';
import { FileStore } from '../src/stores/file-store.js';
import { openScene } from './support/auth.js';
import { testFolder } from './support/folders.js';
import { API_KEY, API_SECRET, oneAccount } from './support/keys.js';
import { ManualClock } from './support/manual-clock.js';
import { testRedis } from './support/redis.js';
import { Worker } from './support/workers.js';

const { signal } = new AbortController();
const missing = redisUnavailable();

describe('a lease without Redis', () => {
  it('is held by one process of the machine and handed over when it is released', async () => {
    const { clock, open } = await openScene();
    const [old, next] = [await open(), await open()];
    const held = await old.claimLease(signal);
    const successor = next.claimLease(signal);
    await clock.sleeping();
    for (let renewals = 0; renewals < 20; renewals += 1) {
      clock.advance(10_000);
      await new Promise(setImmediate);
    }
    expect(held.lost.aborted).toBe(false);
    const before = clock.now();
    await held.release();
    await held.release();
    await release(await clock.until(successor));
    expect(clock.now() - before).toBeLessThan(1_000);
  });

  it('of a process that died is had when it has run out', async () => {
    const { clock, open } = await openScene();
    const dying = await open();
    await dying.claimLease(signal);
    await dying.auth.close();
    const next = await open();
    const before = clock.now();
    await release(await clock.until(next.claimLease(signal)));
    expect(clock.now() - before).toBeGreaterThanOrEqual(29_000);
  });

  it('that ran out while its process stood still, and that nobody took, is taken again', async () => {
    const { clock, open } = await openScene();
    const [old, next] = [await open(), await open()];
    const held = await old.claimLease(signal);
    clock.advance(60_000);
    await new Promise(setImmediate);
    const stop = new AbortController();
    const refused = next.claimLease(stop.signal).catch((error: unknown) => error);
    await clock.sleeping();
    expect(held.lost.aborted).toBe(false);
    stop.abort(new Error('still held'));
    expect(await refused).toMatchObject({ message: 'still held' });
    await held.release();
  });

  it('that another one holds is told as lost at the next renewal, and is not given back then', async () => {
    const { all } = await oneAccount();
    const [account] = all;
    if (account === undefined) throw new Error('no account');
    const [clock, name] = [new ManualClock(0), `kis:lease:real:${account.keyHash}`];
    const store = FileStore.inMemory(clock);
    const held = await KeyLease.claim({ account, store, clock, ttlMs: 30_000 }, signal);
    await store.swap(name, await store.read(name), { value: 'another', ttlMs: 30_000 });
    const lost = once(held.lost, 'abort');
    await clock.sleeping();
    clock.advance(10_000);
    await lost;
    expect(held.lost.reason).toMatchObject({ code: 'CONNECTION_LEASE_LOST', context: { key_hash: account.keyHash } });
    await held.release();
    expect(await store.read(name)).toBe('another');
  });

  it('tells whoever waits what its holder takes, where both say what they take', async () => {
    const { all } = await oneAccount();
    const [account] = all;
    if (account === undefined) throw new Error('no account');
    const clock = new ManualClock(0);
    const behind = async (held: readonly string[] | undefined, wanted: readonly string[] | undefined) => {
      const options = { account, store: FileStore.inMemory(clock), clock, ttlMs: 30_000 };
      const lease = await KeyLease.claim({ ...options, takes: held }, signal);
      const stop = new AbortController();
      const seen = Promise.withResolvers<LeaseHindrance>();
      const waiting = KeyLease.claim({ ...options, takes: wanted }, stop.signal, seen.resolve).catch(() => undefined);
      const hindrance = await seen.promise;
      stop.abort();
      await waiting;
      await lease.release();
      return hindrance;
    };
    const [samsung, hynix] = ['KRX 005930 tick', 'KRX 000660 tick'];
    expect(await behind([samsung], [samsung, hynix])).toEqual({ kind: 'held', takes: [samsung] });
    expect(await behind([], [samsung])).toEqual({ kind: 'held', takes: [] });
    expect(await behind(undefined, [samsung])).toEqual({ kind: 'held' });
    expect(await behind([samsung], undefined)).toEqual({ kind: 'held' });
  });

  it('is kept while the store is away', async () => {
    const { clock, open } = await openScene();
    const { auth, claimLease } = await open();
    const held = await claimLease(signal);
    await auth.close();
    clock.advance(10_000);
    await clock.sleeping();
    expect(held.lost.aborted).toBe(false);
    await held.release();
  });

  it('is given back when the signal is aborted in the moment of the claim', async () => {
    const { open } = await openScene();
    const stop = new AbortController();
    const claimed = (await open()).claimLease(stop.signal);
    stop.abort(new Error('too late'));
    await expect(claimed).rejects.toThrow('too late');
    await release(await (await open()).claimLease(signal));
  });

  it('is no longer waited for when the signal is aborted', async () => {
    const { clock, open } = await openScene();
    const held = await (await open()).claimLease(signal);
    const stop = new AbortController();
    const waiting = (await open()).claimLease(stop.signal).catch((error: unknown) => error);
    await clock.sleeping();
    stop.abort(new Error('stopped'));
    expect(await waiting).toMatchObject({ message: 'stopped' });
    await release(held);
  });
});

/** As long as a command may take. */
const SLOWEST_MS = 2_000;

/** Of the commands in turn, ms: until it is done, and until its answer comes. */
type Delays = readonly (readonly [number, number])[];

/** A store whose answers, or whose commands, take as long as they may. */
class SlowStore implements SharedStore {
  readonly place = 'a slow store';
  readonly isAway = false;
  /** Of a lease that ran out. */
  lapses = 0;
  renewals = 0;
  readonly #clock: ManualClock;
  readonly #delays: Delays;
  #standsUntil = Number.POSITIVE_INFINITY;

  constructor(clock: ManualClock, delays: Delays) {
    this.#clock = clock;
    this.#delays = delays;
  }

  async swap(_name: string, _expected: string | undefined, next: { readonly ttlMs: number } | undefined) {
    const [before, behind] = this.#delays[this.renewals % this.#delays.length] ?? [0, 0];
    this.renewals += 1;
    if (before > 0) await this.#clock.sleep(before, signal);
    if (before + behind > SLOWEST_MS) throw new Error('no answer in time');
    if (this.#clock.now() > this.#standsUntil) this.lapses += 1;
    if (next !== undefined) this.#standsUntil = this.#clock.now() + next.ttlMs;
    if (behind > 0) await this.#clock.sleep(behind, signal);
    return true;
  }

  read = () => Promise.resolve(undefined);
  ageMs = () => Promise.resolve(3_600_000);
  onReturn = () => () => undefined;
  close = () => Promise.resolve();
}

describe('a lease of five seconds, the least that may be set', () => {
  it.each<[string, Delays]>([
    [
      'commands and answers are as slow as they may be',
      [
        [0, SLOWEST_MS],
        [SLOWEST_MS, 0],
      ],
    ],
    [
      'every third command fails after as long',
      [
        [0, 0],
        [0, 0],
        [SLOWEST_MS, 1],
      ],
    ],
  ])('never runs out while %s', async (_, delays) => {
    const [account] = (await oneAccount()).all;
    if (account === undefined) expect.unreachable();
    const clock = new ManualClock(Date.UTC(2026, 10, 23));
    const store = new SlowStore(clock, delays);
    const held = await clock.until(KeyLease.claim({ account, store, clock, ttlMs: 5_000 }, signal));
    while (store.renewals < 30) {
      await clock.sleeping();
      clock.advance(100);
      await new Promise(setImmediate);
    }
    expect(store.lapses).toBe(0);
    await clock.until(held.release());
  });
});

describe.skipIf(missing !== undefined)('a lease in Redis', () => {
  async function twoWorkers() {
    const redis = await testRedis();
    const start = async () =>
      Worker.start({
        apiKey: API_KEY,
        apiSecret: API_SECRET,
        url: 'http://127.0.0.1:9',
        machineFolder: await testFolder(),
        leaseTtlMs: 1_500,
        redis: redis.settings,
      });
    return { a: await start(), b: await start() };
  }

  it('goes to the successor when the holder releases it', async () => {
    const { a, b } = await twoWorkers();
    await a.ask('claim');
    const successor = b.ask('claim');
    await a.ask('release');
    expect(await successor).toBe('claimed');
  });

  it('goes to another one when the holder is killed', async () => {
    const { a, b } = await twoWorkers();
    await a.ask('claim');
    const successor = b.ask('claim');
    await a.kill();
    expect(await successor).toBe('claimed');
  });

  it('that was lost while the process stood still is told as soon as it goes on', async () => {
    const { a, b } = await twoWorkers();
    await a.ask('claim');
    const lost = a.lost();
    a.pause();
    await b.ask('claim');
    a.resume();
    expect(await lost).toMatchObject({ code: 'CONNECTION_LEASE_LOST', retryable: true });
    expect(JSON.stringify(await lost)).not.toContain(API_KEY);
  });
});

async function release(lease: KeyLease): Promise<void> {
  onTestFinished(() => lease.release());
  await lease.release();
}
