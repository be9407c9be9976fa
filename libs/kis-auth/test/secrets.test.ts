import { join } from 'node:path';
import { inspect } from 'node:util';
import { redisUnavailable } from '@aipx/stack';
import { describe, expect, it, onTestFinished } from 'vitest';
import { KisAccount, KisAuth } from '../src/index.js';
import { refusalOf } from '../src/oauth/refusal.js';
import { openScene, type Scene } from './support/auth.js';
import { testFolder } from './support/folders.js';
import { API_KEY, API_SECRET, oneAccount, SECRETS } from './support/keys.js';
import { OAuthServer, type Fault } from './support/oauth-server.js';
import { testRedis, typed } from './support/redis.js';

const { signal } = new AbortController();
const ECHOED = `invalid approval : ${API_KEY} / ${API_SECRET}`;

/** An error as the most talkative log would show it, causes and stacks included. */
function everythingOf(error: unknown): string {
  return `${inspect(error, { depth: 20, showHidden: true })} ${JSON.stringify(error)}`;
}

async function failedWith({ clock, server, open }: Scene, fault: Fault): Promise<string> {
  server.fail(fault);
  const { credentials } = await open();
  const stop = new AbortController();
  const failed = credentials.token(stop.signal).catch((error: unknown) => error);
  // It has failed for good, or it waits to ask again.
  await Promise.race([failed, clock.sleeping()]);
  stop.abort(new Error('stopped'));
  return everythingOf(await failed) + JSON.stringify(credentials.statistics);
}

describe('nothing secret is told', () => {
  it.each([
    { kind: 'code', code: 'EGW00103', status: 403, words: ECHOED },
    { kind: 'code', code: 'EGW00002', status: 500, words: ECHOED },
    { kind: 'code', code: API_KEY, status: 500, words: ECHOED },
    { kind: 'body', body: `{"access_token":"${API_SECRET}"`, status: 200 },
    { kind: 'body', body: JSON.stringify({ access_token: API_SECRET }) },
    { kind: 'half' },
    { kind: 'redirect', to: 'http://127.0.0.1:9/' },
  ] as const)('by a failure: %#', async (fault) => {
    const scene = await openScene();
    const told = await failedWith(scene, fault);
    for (const secret of [API_KEY, API_SECRET, API_SECRET.slice(0, 20)]) expect(told).not.toContain(secret);
  });

  it.each([
    ['a short key', 'short', 'a-short-secret', 'invalid appkey short'],
    ['a short secret', 'another', 'tiny+secret', 'wrong: tiny+secret'],
    [
      'a key that is not this account’s',
      API_KEY,
      API_SECRET,
      'invalid approval : 0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0',
    ],
  ])('by KIS’ words, where they have %s', (_, key, secret, words) => {
    const told = refusalOf(new KisAccount('main', 'real', key, secret), '/oauth2/Approval', 'OPSP0011', words).message;
    expect(told).toContain('[redacted]');
    for (const hidden of [key, secret, '0f1e2d3c']) expect(told).not.toContain(hidden);
  });

  it('by the status of credentials that are held', async () => {
    const { server, open } = await openScene();
    const { credentials, account } = await open();
    await credentials.token(signal);
    await credentials.approvalKey(signal);
    const told = everythingOf([credentials.statistics, account]);
    for (const secret of [API_KEY, API_SECRET, ...server.issued]) expect(told).not.toContain(secret);
  });

  it('by a log that is told of every token and approval key, those of another process too', async () => {
    const { folder, server, open } = await openScene();
    const tokenFile = join(folder, 'tokens');
    for (const turn of ['issues', 'picks up']) {
      const kept: string[] = [];
      const { credentials } = await open({ tokenFile, keepSecret: (secret) => kept.push(secret) });
      await credentials.token(signal);
      await credentials.approvalKey(signal);
      await credentials.token(signal);
      expect(kept, turn).toEqual(server.issued);
    }
    expect(server.issued).toHaveLength(2);
  });

  it.skipIf(redisUnavailable() !== undefined)('by the names in Redis', async () => {
    const [server, redis] = [await OAuthServer.start(SECRETS), await testRedis()];
    const auth = await KisAuth.open({
      accounts: await oneAccount('virtual'),
      url: server.url,
      redis: redis.settings,
      machineFolder: await testFolder(),
      leaseTtlMs: 1,
    });
    onTestFinished(() => auth.close());
    const [key] = auth.keys;
    await key?.credentials.token(signal);
    await key?.credentials.approvalKey(signal);
    const lease = await key?.claimLease(signal);
    const names = (await typed(redis, 'KEYS *')).filter((line) => line.startsWith('kis:'));
    const [hash, at] = [key?.account.keyHash, `@${new URL(server.url).host}`];
    const kinds = ['approval', 'attempt', 'token'].map((kind) => `kis:${kind}:virtual${at}:${hash}`);
    expect(names.filter((name) => !name.startsWith('kis:lease:')).toSorted()).toEqual(kinds);
    expect(await typed(redis, `GET kis:attempt:virtual${at}:${hash}`)).not.toContain(API_KEY);
    await lease?.release();
  });
});
