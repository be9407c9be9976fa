import { describe, expect, it, onTestFinished } from 'vitest';
import { AttemptLog } from '../src/attempts/attempt-log.js';
import type { Credential } from '../src/credentials/credential.js';
import type { IssueAttempt } from '../src/credentials/issue-policy.js';
import { SharedCredential } from '../src/credentials/shared-credential.js';
import { KeyLease, KisAccount } from '../src/index.js';
import { OAuthClient } from '../src/oauth/oauth-client.js';
import { FaultyStore } from './support/faulty-store.js';
import { API_KEY, API_SECRET, MORNING, SECRETS } from './support/keys.js';
import { ManualClock } from './support/manual-clock.js';
import { OAuthServer } from './support/oauth-server.js';

const { signal } = new AbortController();
const HOUR = 3_600_000;
const account = new KisAccount('main', 'real', API_KEY, API_SECRET);
const THEIRS = { value: 'theirs', issuedAt: MORNING, expiresAt: MORNING + 24 * HOUR, replacementAt: null };
const NAME = `kis:token:real:${account.keyHash}`;
const ATTEMPTS = `kis:attempt:real:${account.keyHash}`;

/** One process' token, with a step of the test between KIS' answer and what is done with it. */
async function openToken() {
  const clock = new ManualClock(MORNING);
  const server = await OAuthServer.start(SECRETS, () => clock.now());
  const client = new OAuthClient({ url: server.url, now: () => clock.now() });
  const store = new FaultyStore(clock);
  const stop = new AbortController();
  onTestFinished(() => stop.abort(new Error('over')));
  const hooks: Record<'onAsk' | 'onAnswer', () => Promise<void> | void> = {
    onAsk: () => undefined,
    onAnswer: () => undefined,
  };
  const token = new SharedCredential({
    kind: 'token',
    account,
    issue: async (within) => {
      await hooks.onAsk();
      const issued = await client.issueToken(account, within);
      await hooks.onAnswer();
      return issued;
    },
    stores: { credentials: store, coordination: store, locks: [store], close: () => store.close() },
    attempts: new AttemptLog(store, ATTEMPTS, clock),
    clock,
    refreshBeforeMs: 600_000,
    cacheTtlMs: 24 * HOUR,
    quietAfterStartMs: 30_000,
    signal: stop.signal,
  });
  const stored = async () => (JSON.parse((await store.read(NAME)) ?? '{}') as Partial<Credential>).value;
  return { clock, server, store, token, hooks, stored, stop };
}

/** Until everything that needs no time is done. */
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('a store that goes away while KIS answers', () => {
  it('does not keep the token from its process, and has it on its return', async () => {
    const { server, store, token, hooks, stored } = await openToken();
    hooks.onAnswer = () => void (store.isAway = true);
    expect(await token.get(signal)).toBe(server.issued[0]);
    store.comeBack();
    await settled();
    expect(await stored()).toBe(server.issued[0]);
  });

  it('does not hide that KIS refuses the key at the next issue', async () => {
    const { clock, server, store, token, hooks } = await openToken();
    hooks.onAnswer = () => void (store.isAway = true);
    token.invalidate(await token.get(signal));
    store.comeBack();
    hooks.onAnswer = () => undefined;
    clock.advance(2 * 60_000);
    server.fail({ kind: 'code', code: 'EGW00105', status: 403 });
    await expect(clock.until(token.get(signal))).rejects.toMatchObject({ context: { kis_code: 'EGW00105' } });
    expect(token.status.errors).toMatchObject({ EGW00105: 1 });
  });

  it('and returns with the token before gets the newer one', async () => {
    const { clock, server, store, token, hooks, stored } = await openToken();
    const old = await token.get(signal);
    clock.advance(24 * HOUR - 600_000);
    const answered = Promise.withResolvers<undefined>();
    hooks.onAnswer = () => {
      store.isAway = true;
      answered.resolve(undefined);
    };
    expect(await token.get(signal)).toBe(old);
    await answered.promise;
    await settled();
    expect(await token.get(signal)).toBe(server.issued[1]);
    store.comeBack();
    await clock.until(settled());
    clock.advance(1_000);
    await settled();
    expect(await stored()).toBe(server.issued[1]);
    expect(server.count('/oauth2/tokenP')).toBe(2);
  });
});

describe('a token', () => {
  it('is not asked for by a process that stood still, when another one asked meanwhile', async () => {
    const { clock, server, store, token } = await openToken();
    const other = new AttemptLog(store, ATTEMPTS, clock);
    let reads = 0;
    store.onRead = async (name) => {
      if (name !== NAME || (reads += 1) !== 3) return;
      // Everything was looked at, the lock is had: now it stands still for longer than the lock lasts.
      clock.advance(90_000);
      const now = clock.now();
      await other.write('token', { at: now, outcome: 'STARTED', failures: 0, notBefore: now + 61_000 } as IssueAttempt);
    };
    const asked = token.get(signal);
    await clock.sleeping();
    expect(server.count('/oauth2/tokenP')).toBe(0);
    await store.swap(NAME, undefined, { value: JSON.stringify(THEIRS), ttlMs: HOUR });
    expect(await clock.until(asked)).toBe('theirs');
    expect(server.count('/oauth2/tokenP')).toBe(0);
  });

  it('for which the request came late to KIS is followed by none within its minute', async () => {
    const { clock, server, token, hooks } = await openToken();
    hooks.onAsk = () => clock.advance(9_000);
    token.invalidate(await token.get(signal));
    hooks.onAsk = () => undefined;
    await clock.until(token.get(signal));
    expect(server.count('/oauth2/tokenP')).toBe(2);
    expect(token.status.errors).toEqual({});
  });

  it('that another process shared meanwhile is taken over instead of the own one', async () => {
    const { clock, store, token, hooks } = await openToken();
    hooks.onAnswer = async () => {
      await store.swap(NAME, undefined, { value: JSON.stringify(THEIRS), ttlMs: HOUR });
    };
    expect(await clock.until(token.get(signal))).toBe('theirs');
  });

  it('that is held is put into a store that came back empty, and not over another one', async () => {
    const { server, store, token, stored } = await openToken();
    await token.get(signal);
    await store.swap(NAME, await store.read(NAME), undefined);
    store.comeBack();
    await settled();
    expect(await stored()).toBe(server.issued[0]);
    await store.swap(NAME, await store.read(NAME), { value: JSON.stringify(THEIRS), ttlMs: HOUR });
    store.comeBack();
    await settled();
    expect(await stored()).toBe('theirs');
  });

  it('that was refused is not put back', async () => {
    const { store, token } = await openToken();
    token.invalidate(await token.get(signal));
    await store.swap(NAME, await store.read(NAME), undefined);
    store.comeBack();
    await settled();
    expect(await store.read(NAME)).toBeUndefined();
  });

  it('is waited for while the store is away, in the words of the status', async () => {
    const { clock, server, store, token } = await openToken();
    store.isAway = true;
    const waiting = token.get(signal);
    for (let looks = 0; looks < 5; looks += 1) {
      await clock.sleeping();
      clock.advance(500);
    }
    await clock.sleeping();
    expect(token.status).toMatchObject({ waitingFor: 'a faulty store is away', errors: { store: 1 } });
    store.comeBack();
    await clock.until(waiting);
    expect(server.count('/oauth2/tokenP')).toBe(1);
  });

  it('is no longer waited for when everything ends', async () => {
    const { clock, store, token, stop } = await openToken();
    store.isAway = true;
    const waiting = token.get(signal).catch((error: unknown) => error);
    await clock.sleeping();
    stop.abort(new Error('the process ends'));
    expect(await waiting).toMatchObject({ message: 'the process ends' });
  });
});

describe('a lease', () => {
  const LEASE = `kis:lease:real:${account.keyHash}`;

  function openStore() {
    const clock = new ManualClock(MORNING);
    const store = new FaultyStore(clock);
    return { clock, store, options: { account, store, clock, ttlMs: 30_000 } };
  }

  it('is not given out before the store is one lease old', async () => {
    const { clock, store, options } = openStore();
    store.age = 29_000;
    const claimed = KeyLease.claim(options, signal);
    await clock.sleeping();
    expect(await store.read(LEASE)).toBeUndefined();
    store.age = 30_000;
    await (await clock.until(claimed)).release();
  });

  it('is put back at once when the store returns without it', async () => {
    const { store, options } = openStore();
    const held = await KeyLease.claim(options, signal);
    const holder = await store.read(LEASE);
    await store.swap(LEASE, holder, undefined);
    store.comeBack();
    await settled();
    expect(await store.read(LEASE)).toBe(holder);
    await held.release();
    store.comeBack();
    await settled();
    expect(await store.read(LEASE)).toBeUndefined();
  });

  it('is renewed in time', async () => {
    const { clock, store, options } = openStore();
    const held = await KeyLease.claim(options, signal);
    const holder = await store.read(LEASE);
    for (let renewals = 0; renewals < 6; renewals += 1) {
      await clock.sleeping();
      clock.advance(10_000);
      await settled();
    }
    expect(await store.read(LEASE)).toBe(holder);
    await held.release();
  });
});

describe('attempts', () => {
  it('that could not be written are known to the next look, though nobody put them back', async () => {
    const { clock, store } = await openToken();
    const log = new AttemptLog(store, ATTEMPTS, clock);
    await log.write('connect', { at: MORNING, notBefore: MORNING });
    store.isAway = true;
    const refused = { at: MORNING + 1, notBefore: MORNING + HOUR };
    await expect(log.write('connect', refused)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    store.isAway = false;
    expect(await log.read('connect')).toEqual(refused);
  });

  it('take effect in their order, so that a look sees what is just being written', async () => {
    const { clock, store } = await openToken();
    store.onRead = () => settled();
    const log = new AttemptLog(store, ATTEMPTS, clock);
    const second = { at: 2, notBefore: 2 };
    const written = Promise.all([{ at: 1, notBefore: 1 }, second].map((attempt) => log.write('connect', attempt)));
    expect(await log.read('connect')).toEqual(second);
    await written;
    expect(await new AttemptLog(store, ATTEMPTS, clock).read('connect')).toEqual(second);
  });

  it('that others overwrite again and again are given up with a word', async () => {
    const { clock, store } = await openToken();
    store.isContended = true;
    const log = new AttemptLog(store, 'kis:attempt:x', clock);
    await expect(log.write('token', { at: 1, notBefore: 2 })).rejects.toThrow('kis:attempt:x changes all the time');
  });
});
