import { join } from 'node:path';
import { MarketDataError } from '@aipx/market-model';
import { redisUnavailable } from '@aipx/stack';
import { describe, expect, it, onTestFinished } from 'vitest';
import { KisAccess, type KisAuthOptions } from '../src/index.js';
import { FileStore } from '../src/stores/file-store.js';
import { storedName } from '../src/stores/names.js';
import { openScene, type Scene } from './support/auth.js';
import { testRedis } from './support/redis.js';

const { signal } = new AbortController();
const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

function refusal(action: string): MarketDataError {
  return new MarketDataError('CONNECTION_REFUSED_BY_VENUE', action, { context: { action }, retryable: true });
}

async function openAccess(scene: Scene, options?: Partial<KisAuthOptions>) {
  const key = await scene.open(options ?? { tokenFile: join(scene.folder, 'tokens') });
  return { key, access: new KisAccess(key, scene.clock) };
}

/** What another process does to the key, by way of the file that they share. */
async function openOther(scene: Scene, { account }: { readonly account: Parameters<typeof storedName>[1] }) {
  const store = await FileStore.open(join(scene.folder, 'tokens'), 'TEST', scene.clock);
  onTestFinished(() => store.close());
  const replace = async (kind: 'lease' | 'attempt', change: (text: string) => string, ttlMs: number) => {
    const name = storedName(kind, account, scene.server.url);
    const before = await store.read(name);
    await store.swap(name, before, { value: change(before ?? ''), ttlMs });
  };
  return {
    takeLease: () => replace('lease', () => 'another', 30 * SECOND_MS),
    note: (outcome: string) => replace('attempt', (text) => text.replace('"started"', `"${outcome}"`), 24 * HOUR_MS),
    attempts: async () => (await store.read(storedName('attempt', account, scene.server.url))) ?? '',
  };
}

/** Lets time pass while the process goes on: leases are renewed. */
async function pass(scene: Scene, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 10 * SECOND_MS) {
    scene.clock.advance(10 * SECOND_MS);
    await new Promise(setImmediate);
  }
}

describe('leave that is asked for again', () => {
  it.skipIf(redisUnavailable() !== undefined)(
    'in the moment of "already in use" waits its minute, though that is still on its way to Redis',
    async () => {
      const [scene, redis] = [await openScene(), await testRedis()];
      const { access } = await openAccess(scene, { redis: redis.settings, leaseTtlMs: 1 });
      (await scene.clock.until(access.enter(signal))).left(refusal('already-in-use'), false);
      const before = scene.clock.now();
      const next = await scene.clock.until(access.enter(signal));
      expect(scene.clock.now() - before).toBeGreaterThanOrEqual(MINUTE_MS);
      next.left(undefined, true);
      await access.close();
    },
  );

  it('while the last session gives the lease back has one of its own', async () => {
    const scene = await openScene();
    const [first, second] = [await openAccess(scene), await openAccess(scene)];
    (await scene.clock.until(first.access.enter(signal))).left(undefined, true);
    const again = await scene.clock.until(first.access.enter(signal));
    expect(first.key.statistics.lease).toBe('held');
    const stop = new AbortController();
    const waiting = second.access.enter(stop.signal).catch((error: unknown) => error);
    await pass(scene, MINUTE_MS);
    expect(second.access.waitingFor).toBe('lease');
    stop.abort(new Error('still held'));
    await waiting;
    again.left(undefined, true);
    await first.access.close();
  });

  it('in the moment that the wait for it was given up keeps the lease that it has', async () => {
    const scene = await openScene();
    const { access, key } = await openAccess(scene);
    (await scene.clock.until(access.enter(signal))).left(refusal('already-in-use'), false);
    const stop = new AbortController();
    const givenUp = access.enter(stop.signal).catch((error: unknown) => error);
    await scene.clock.sleeping();
    stop.abort(new Error('given up'));
    const next = await scene.clock.until(access.enter(signal));
    expect(await givenUp).toMatchObject({ message: 'given up' });
    expect(key.statistics.lease).toBe('held');
    next.left(undefined, true);
    await access.close();
    expect(key.statistics.lease).toBe('none');
  });

  it('comes with a key that is valid then, though its turn was an hour away', async () => {
    const scene = await openScene();
    const { access, key } = await openAccess(scene);
    const old = await key.credentials.approvalKey(signal);
    await pass(scene, 23 * HOUR_MS + 20 * MINUTE_MS);
    (await scene.clock.until(access.enter(signal))).left(refusal('fatal'), false);
    const next = await scene.clock.until(access.enter(signal));
    expect(next.secret).not.toBe(old);
    expect(scene.server.issued.at(-1)).toBe(next.secret);
    next.left(undefined, true);
    await access.close();
  });

  it('is claimed anew when the lease is lost before its turn', async () => {
    const scene = await openScene();
    const { access, key } = await openAccess(scene);
    (await scene.clock.until(access.enter(signal))).left(refusal('already-in-use'), false);
    const waiting = access.enter(signal);
    await pass(scene, 20 * SECOND_MS);
    expect(access.waitingFor).toBe('turn');
    await (await openOther(scene, key)).takeLease();
    await pass(scene, 20 * SECOND_MS);
    expect(access.waitingFor).toBe('lease');
    const next = await scene.clock.until(waiting);
    expect(next.lost.aborted).toBe(false);
    expect(key.statistics.lease).toBe('held');
    next.left(undefined, true);
    await access.close();
  });
});

describe('the end of a session', () => {
  it('whose lease another process has now leaves the attempts to that one', async () => {
    const scene = await openScene();
    const { access, key } = await openAccess(scene);
    const leave = await scene.clock.until(access.enter(signal));
    const other = await openOther(scene, key);
    await other.takeLease();
    await other.note('in-use');
    await pass(scene, 20 * SECOND_MS);
    expect(leave.lost.aborted).toBe(true);
    leave.confirmed();
    leave.left(refusal('back-off'), false);
    await access.close();
    expect(await other.attempts()).toContain('"in-use"');
  });

  it('over an old approval key, for which a new one is there already, asks for no ten minutes', async () => {
    const scene = await openScene();
    const { access, key } = await openAccess(scene);
    const old = await key.credentials.approvalKey(signal);
    await pass(scene, 24 * HOUR_MS - 10 * MINUTE_MS);
    const asked = scene.server.nextRequest();
    const leave = await scene.clock.until(access.enter(signal));
    await asked;
    await pass(scene, MINUTE_MS);
    expect(leave.secret).toBe(old);
    expect(key.credentials.statistics.approvalKey.refreshes).toBe(1);
    leave.confirmed();
    leave.left(refusal('new-approval-key'), false);
    const before = scene.clock.now();
    const next = await scene.clock.until(access.enter(signal));
    expect(next.secret).not.toBe(old);
    expect(scene.clock.now() - before).toBeLessThan(MINUTE_MS);
    next.left(undefined, true);
    await access.close();
  });

  it('that was let in too late, for the wait was given up, is written down as none', async () => {
    const scene = await openScene();
    const { access, key } = await openAccess(scene);
    (await scene.clock.until(access.enter(signal))).left(refusal('fatal'), false);
    const stop = new AbortController();
    const waiting = access.enter(stop.signal).catch((error: unknown) => error);
    await pass(scene, 59 * MINUTE_MS);
    expect(access.waitingFor).toBe('turn');
    onTestFinished(scene.server.hold());
    key.credentials.invalidateApprovalKey(await key.credentials.approvalKey(signal));
    const asked = scene.server.nextRequest();
    await pass(scene, 2 * MINUTE_MS);
    await asked;
    expect(access.waitingFor).toBe('approval-key');
    stop.abort(new Error('given up'));
    expect(await waiting).toMatchObject({ message: 'given up' });
    await access.close();
    expect(await (await openOther(scene, key)).attempts()).toContain('"closed"');
  });

  it('that lost its lease while its key was renewed leaves the attempts to the new holder', async () => {
    const scene = await openScene();
    const { access, key } = await openAccess(scene);
    (await scene.clock.until(access.enter(signal))).left(refusal('fatal'), false);
    const stop = new AbortController();
    const waiting = access.enter(stop.signal).catch((error: unknown) => error);
    await pass(scene, 59 * MINUTE_MS);
    onTestFinished(scene.server.hold());
    key.credentials.invalidateApprovalKey(await key.credentials.approvalKey(signal));
    const asked = scene.server.nextRequest();
    await pass(scene, 2 * MINUTE_MS);
    await asked;
    const other = await openOther(scene, key);
    await other.takeLease();
    await other.note('in-use');
    await pass(scene, 20 * SECOND_MS);
    expect(access.waitingFor).toBe('lease');
    stop.abort(new Error('given up'));
    expect(await waiting).toMatchObject({ message: 'given up' });
    await access.close();
    expect(await other.attempts()).toContain('"in-use"');
  });
});
