import { join } from 'node:path';
import { MarketDataError } from '@aipx/market-model';
import { describe, expect, it } from 'vitest';
import { KisAccess } from '../src/index.js';
import { openScene, type Scene } from './support/auth.js';

const { signal } = new AbortController();
const MINUTE_MS = 60_000;

function refusal(action: string): MarketDataError {
  return new MarketDataError('CONNECTION_REFUSED_BY_VENUE', action, { context: { action }, retryable: true });
}

async function openAccess(scene: Scene) {
  const key = await scene.open({ tokenFile: join(scene.folder, 'tokens') });
  return { key, access: new KisAccess(key, scene.clock) };
}

describe('leave to open the session of a key', () => {
  it('comes with an approval key, and holds the key against others until the connection is closed', async () => {
    const scene = await openScene();
    const { clock, server } = scene;
    const [first, second] = [await openAccess(scene), await openAccess(scene)];
    const pass = await clock.until(first.access.enter(signal));
    pass.confirmed();
    let isIn = false;
    const waiting = second.access.enter(signal).then((other) => {
      isIn = true;
      return other;
    });
    await clock.sleeping();
    for (let renewals = 0; renewals < 6; renewals += 1) {
      clock.advance(10_000);
      await new Promise(setImmediate);
    }
    expect(isIn).toBe(false);
    pass.left(undefined, true);
    const before = clock.now();
    const other = await clock.until(waiting);
    expect(other.secret).toBe(pass.secret);
    expect(clock.now() - before).toBeLessThan(2_000);
    expect(server.issued).toEqual([pass.secret]);
    other.left(undefined, true);
  });

  it.each([
    ['already-in-use', 60_000, 90_000],
    ['back-off', 20_000, 20_000],
    ['new-approval-key', 10 * MINUTE_MS, 10 * MINUTE_MS],
    ['fatal', 60 * MINUTE_MS, 60 * MINUTE_MS],
  ])('after %s is not had before %i ms, though the lease is kept', async (action, least, most) => {
    const scene = await openScene();
    const { access } = await openAccess(scene);
    (await scene.clock.until(access.enter(signal))).left(refusal(action), false);
    await new Promise(setImmediate);
    const before = scene.clock.now();
    const pass = await scene.clock.until(access.enter(signal));
    const waited = scene.clock.now() - before;
    expect(waited).toBeGreaterThanOrEqual(least);
    expect(waited).toBeLessThanOrEqual(most + 1_000);
    pass.left(undefined, true);
  });

  it.each([
    ['refused the key', 'fatal', 60 * MINUTE_MS],
    ['dropped it too often', 'back-off', 20_000],
  ])('is another process’ when the venue has %s and no other session follows', async (_, action, leastMs) => {
    const scene = await openScene();
    const [first, second] = [await openAccess(scene), await openAccess(scene)];
    (await scene.clock.until(first.access.enter(signal))).left(refusal(action), true);
    const before = scene.clock.now();
    const pass = await scene.clock.until(second.access.enter(signal));
    expect(scene.clock.now() - before).toBeGreaterThanOrEqual(leastMs);
    pass.left(undefined, true);
  });

  it('keeps the key against others from one session to the next', async () => {
    const scene = await openScene();
    const { clock } = scene;
    const [first, second] = [await openAccess(scene), await openAccess(scene)];
    const pass = await clock.until(first.access.enter(signal));
    let isIn = false;
    const waiting = second.access.enter(signal).then((other) => {
      isIn = true;
      return other;
    });
    pass.left(refusal('back-off'), false);
    for (let looks = 0; looks < 20; looks += 1) {
      await clock.sleeping();
      clock.advance(500);
      await new Promise(setImmediate);
    }
    expect(isIn).toBe(false);
    expect(first.key.statistics.lease).toBe('held');
    await first.access.close();
    (await clock.until(waiting)).left(undefined, true);
  });

  it('counts how long a session stood from when it was first confirmed', async () => {
    const scene = await openScene();
    const { access } = await openAccess(scene);
    for (let sessions = 0; sessions < 2; sessions += 1) {
      const pass = await scene.clock.until(access.enter(signal));
      pass.confirmed();
      for (let minutes = 0; minutes < 6; minutes += 1) {
        await new Promise(setImmediate);
        scene.clock.advance(MINUTE_MS);
        pass.confirmed();
      }
      pass.left(refusal('back-off'), false);
      await new Promise(setImmediate);
    }
    const before = scene.clock.now();
    const pass = await scene.clock.until(access.enter(signal));
    expect(scene.clock.now() - before).toBeLessThanOrEqual(21_000);
    pass.left(undefined, true);
  });

  it('takes a new approval key when an old one is refused, and waits no ten minutes for it', async () => {
    const scene = await openScene();
    const { access } = await openAccess(scene);
    const first = await scene.clock.until(access.enter(signal));
    first.confirmed();
    scene.clock.advance(60 * MINUTE_MS);
    first.left(refusal('new-approval-key'), false);
    await new Promise(setImmediate);
    const before = scene.clock.now();
    const second = await scene.clock.until(access.enter(signal));
    expect(second.secret).not.toBe(first.secret);
    expect(scene.clock.now() - before).toBeLessThanOrEqual(MINUTE_MS);
    second.left(undefined, true);
  });

  it('that is given up while it is waited for leaves the key to others', async () => {
    const scene = await openScene();
    const [first, second] = [await openAccess(scene), await openAccess(scene)];
    (await scene.clock.until(first.access.enter(signal))).left(refusal('already-in-use'), false);
    await new Promise(setImmediate);
    const stop = new AbortController();
    const waiting = first.access.enter(stop.signal);
    await scene.clock.sleeping();
    stop.abort(new Error('no longer wanted'));
    await expect(waiting).rejects.toThrow('no longer wanted');
    const pass = await scene.clock.until(second.access.enter(signal));
    pass.left(undefined, true);
  });
});
