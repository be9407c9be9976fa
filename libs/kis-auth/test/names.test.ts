import { join } from 'node:path';
import { redisUnavailable } from '@aipx/stack';
import { describe, expect, it } from 'vitest';
import type { KisAuthOptions, Question } from '../src/index.js';
import { answerNames, isOfKis, storedName } from '../src/stores/names.js';
import { openScene } from './support/auth.js';
import { oneAccount, SECRETS } from './support/keys.js';
import { OAuthServer } from './support/oauth-server.js';
import { testRedis } from './support/redis.js';

const { signal } = new AbortController();

describe('what is kept', () => {
  it.each([
    undefined,
    'https://openapi.koreainvestment.com:9443',
    'https://openapi.koreainvestment.com:9443/',
    'https://openapivts.koreainvestment.com:29443',
  ])('of KIS at %s has one name, wherever it is asked', async (url) => {
    const [account] = (await oneAccount()).all;
    if (account === undefined) throw new Error('no account');
    expect(isOfKis(url)).toBe(true);
    expect(storedName('token', account, url)).toBe(`kis:token:real:${account.keyHash}`);
    expect(answerNames(url)).toEqual({ answer: 'kis:holidays', lock: 'kis:lock:holidays' });
  });

  it.each([
    ['http://127.0.0.1:8080', '127.0.0.1:8080'],
    ['http://LOCALHOST:9443/kis', 'localhost:9443'],
    ['https://gateway.example', 'gateway.example:443'],
    ['http://openapi.koreainvestment.com.example', 'openapi.koreainvestment.com.example:80'],
    ['http://[::1]:81', '[::1]:81'],
  ])('of a server in its place, %s, has names of its own', async (url, host) => {
    const [account] = (await oneAccount()).all;
    if (account === undefined) throw new Error('no account');
    expect(isOfKis(url)).toBe(false);
    for (const kind of ['token', 'approval', 'lock', 'lease', 'attempt'] as const) {
      expect(storedName(kind, account, url)).toBe(`kis:${kind}:real@${host}:${account.keyHash}`);
    }
    expect(answerNames(url)).toEqual({ answer: `kis:holidays@${host}`, lock: `kis:lock:holidays@${host}` });
  });
});

type Sharing = (folder: string) => Promise<Partial<KisAuthOptions>>;
const sharings: readonly [string, Sharing][] = [
  ['the machine’s file', () => Promise.resolve({})],
  ['a token file', (folder) => Promise.resolve({ tokenFile: join(folder, 'tokens') })],
  ...(redisUnavailable() === undefined
    ? [['Redis', async () => ({ redis: (await testRedis()).settings, leaseTtlMs: 1 })] as [string, Sharing]]
    : []),
];

describe.each(sharings)('the same key with two servers and one place, %s,', (_, sharing) => {
  it('has of each what that one issued, said and refused, and both sessions', async () => {
    const { clock, server, folder, open } = await openScene();
    const other = await OAuthServer.start(SECRETS, () => clock.now());
    const shared = await sharing(folder);
    const [here, there] = [await open(shared), await open({ ...shared, url: other.url })];
    // Time passes: Redis has yet to be reached, and to be old enough.
    expect(await clock.until(here.credentials.token(signal))).toBe(server.issued[0]);
    expect(await clock.until(there.credentials.token(signal))).toBe(other.issued[0]);
    const question = (text: string): Question => ({
      prepare: () => Promise.resolve(),
      ask: () => Promise.resolve(text),
      restMs: () => 0,
    });
    await here.holidays.step(question('open on all days'), signal);
    expect(await there.holidays.newest()).toBeUndefined();
    await there.holidays.step(question('closed on some'), signal);
    expect((await here.holidays.newest())?.text).toBe('open on all days');

    server.fail({ kind: 'code', code: 'EGW00103', status: 403 });
    await expect(here.credentials.approvalKey(signal)).rejects.toMatchObject({ code: 'CONFIG_ACCOUNT' });
    expect(await there.credentials.approvalKey(signal)).toBe(other.issued[1]);

    const leases = await Promise.all([here.claimLease(signal), there.claimLease(signal)]);
    await here.connectAttempts.report('key-refused');
    expect(there.connectAttempts.nextAt).toBe(0);
    await there.connectAttempts.admitted(signal);
    await Promise.all(leases.map((lease) => lease.release()));
  });
});
