import { join } from 'node:path';
import { redisUnavailable } from '@aipx/stack';
import { describe, expect, it, onTestFinished } from 'vitest';
import { RedisStore } from '../src/stores/redis-store.js';
import { KisAuth } from '../src/index.js';
import { testFolder } from './support/folders.js';
import { API_KEY, API_SECRET, oneAccount, SECRETS } from './support/keys.js';
import { OAuthServer } from './support/oauth-server.js';
import { connectedStore, testRedis, typed } from './support/redis.js';
import { Worker, type WorkerSettings } from './support/workers.js';

const LEASE_TTL_MS = 3_000;
const missing = redisUnavailable();

/** Starts as many processes, each on a machine of its own unless they share the folder. */
async function workers(count: number, settings: Partial<WorkerSettings>): Promise<readonly Worker[]> {
  return await Promise.all(
    Array.from({ length: count }, async () =>
      Worker.start({
        apiKey: API_KEY,
        apiSecret: API_SECRET,
        url: 'http://127.0.0.1:9',
        machineFolder: await testFolder(),
        leaseTtlMs: LEASE_TTL_MS,
        ...settings,
      }),
    ),
  );
}

function ask(all: readonly Worker[], step: 'token' | 'approvalKey' | 'claim'): Promise<readonly unknown[]> {
  return Promise.all(all.map((worker) => worker.ask(step)));
}

// Ten starts take long where the cores are shared.
describe('ten processes that start cold', { timeout: 120_000 }, () => {
  it('on one machine with a token file issue one token and one approval key', async () => {
    const server = await OAuthServer.start(SECRETS);
    const folder = await testFolder();
    const all = await workers(10, { url: server.url, machineFolder: folder, tokenFile: join(folder, 'tokens') });
    const [tokens, keys] = await Promise.all([ask(all, 'token'), ask(all, 'approvalKey')]);
    expect(new Set([...tokens, ...keys])).toEqual(new Set(server.issued));
    expect(server.requests).toHaveLength(2);
  });

  it.skipIf(missing !== undefined)('on ten machines with Redis issue one token and one approval key', async () => {
    const [server, redis] = [await OAuthServer.start(SECRETS), await testRedis()];
    const all = await workers(10, { url: server.url, redis: redis.settings });
    const [tokens, keys] = await Promise.all([ask(all, 'token'), ask(all, 'approvalKey')]);
    expect(new Set([...tokens, ...keys])).toEqual(new Set(server.issued));
    expect(server.requests).toHaveLength(2);
    expect(await typed(redis, 'KEYS kis:lock:*')).toEqual(['*0']);
  });

  it.skipIf(missing !== undefined)(
    'on ten machines issue as much when Redis is killed while KIS answers, and comes back empty',
    async () => {
      const [server, redis] = [await OAuthServer.start(SECRETS), await testRedis()];
      const all = await workers(10, { url: server.url, redis: redis.settings });
      const release = server.hold();
      const asked = server.nextRequest();
      const both = Promise.all([ask(all, 'token'), ask(all, 'approvalKey')]);
      await asked;
      await redis.server.kill();
      release();
      await redis.startEmpty();
      const [tokens, keys] = await both;
      expect([new Set(tokens).size, new Set(keys).size]).toEqual([1, 1]);
      expect(new Set([...tokens, ...keys])).toEqual(new Set(server.issued));
      expect([server.count('/oauth2/tokenP'), server.count('/oauth2/Approval')]).toEqual([1, 1]);
      expect(server.refused).toEqual([]);
    },
  );
});

describe.skipIf(missing !== undefined)('a Redis that is killed and comes back empty', () => {
  it('gets everything back from the holders, and nobody issues or claims in between', async () => {
    const [server, redis] = [await OAuthServer.start(SECRETS), await testRedis()];
    const [holder, other] = await workers(2, { url: server.url, redis: redis.settings });
    const [stranger] = await workers(1, { url: server.url, redis: redis.settings, apiKey: API_KEY.toLowerCase() });
    if (holder === undefined || other === undefined || stranger === undefined) throw new Error('no workers');
    const held = [await holder.ask('token'), await holder.ask('approvalKey'), await holder.ask('claim')];
    const lease = `GET kis:lease:real@${new URL(server.url).host}:${(await oneAccount()).all[0]?.keyHash}`;
    const leaseBefore = await typed(redis, lease);
    expect(leaseBefore).toHaveLength(2);
    await redis.server.kill();
    const waiting = Promise.all([other.ask('token'), other.ask('approvalKey')]);
    const claimed = other.ask('claim');
    expect(await holder.ask('token')).toBe(held[0]);
    await redis.startEmpty();
    expect(await waiting).toEqual([held[0], held[1]]);
    // Whoever claims another key is let in when Redis is old enough; by then the holder has put its lease back.
    await stranger.ask('claim');
    expect(await typed(redis, lease)).toEqual(leaseBefore);
    expect(server.requests).toHaveLength(2);
    await holder.ask('release');
    expect(await claimed).toBe('claimed');
    expect((await typed(redis, 'KEYS kis:attempt:*'))[0]).toBe('*1');
  });

  it('is waited for by a process that starts while it is away, and that issues only when it is old enough', async () => {
    const [server, redis] = [await OAuthServer.start(SECRETS), await testRedis()];
    await redis.server.kill();
    const [worker] = await workers(1, { url: server.url, redis: redis.settings });
    const token = worker?.ask('token');
    // It answers in order, so it has begun to look for the store.
    await worker?.ask('status');
    await redis.server.start();
    const startedAt = Date.now();
    expect(await token).toBe(server.issued[0]);
    expect(await worker?.ask('status')).toMatchObject({ token: { issues: 1, errors: { store: 1 } } });
    // Redis tells its age in whole seconds.
    expect((server.requests[0]?.at ?? 0) - startedAt).toBeGreaterThanOrEqual(LEASE_TTL_MS - 1_500);
  });
});

describe.skipIf(missing !== undefined)('Redis', () => {
  it('that is killed while KIS answers costs no second token', async () => {
    const [server, redis] = [await OAuthServer.start(SECRETS), await testRedis()];
    const [a, b] = await workers(2, { url: server.url, redis: redis.settings });
    const release = server.hold();
    const asked = server.nextRequest();
    const tokenOfA = a?.ask('token');
    await asked;
    await redis.server.kill();
    release();
    expect(await tokenOfA).toBe(server.issued[0]);
    await redis.server.start();
    expect(await b?.ask('token')).toBe(server.issued[0]);
    expect(server.count('/oauth2/tokenP')).toBe(1);
  });

  it('that wants another password is told as such, without any', async () => {
    const redis = await testRedis('right-password');
    const store = new RedisStore({ ...redis.settings, password: 'wrong-password' });
    onTestFinished(() => store.close());
    for (;;) {
      const error: unknown = await store.read('a').catch((cause: unknown) => cause);
      expect(error).toMatchObject({ code: 'STORE_UNAVAILABLE', retryable: true });
      expect(JSON.stringify(error)).not.toContain('wrong-password');
      if (JSON.stringify(error).includes('WRONGPASS')) break;
      await new Promise(setImmediate);
    }
    const right = await connectedStore(redis);
    onTestFinished(() => right.close());
    expect(await right.read('a')).toBeUndefined();
  });

  it('is named as the place at start', async () => {
    const redis = await testRedis();
    const auth = await KisAuth.open({
      accounts: await oneAccount(),
      redis: redis.settings,
      machineFolder: await testFolder(),
    });
    onTestFinished(() => auth.close());
    expect(auth.place).toBe(`Redis at 127.0.0.1:${redis.settings.port}`);
  });
});
