import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { inspect } from 'node:util';
import { redisUnavailable } from '@aipx/stack';
import { describe, expect, it, onTestFinished } from 'vitest';
import { RedisStore } from '../src/stores/redis-store.js';
import { connectedStore, testRedis, typed, type TestRedis } from './support/redis.js';

const LONG = 60_000;

/** Between the store and Redis: what goes by its first connection can be swallowed, as by a host that vanished. */
async function startSwallowing({ settings }: TestRedis) {
  const pipes: { readonly from: Socket; readonly to: Socket }[] = [];
  const server = createServer((from) => {
    const to = connect(settings.port, settings.host);
    for (const socket of [from, to]) socket.on('error', () => undefined);
    from.pipe(to).pipe(from);
    pipes.push({ from, to });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const { from, to } of pipes) [from, to].map((socket) => socket.destroy());
    server.close();
  });
  return {
    settings: { ...settings, port: (server.address() as AddressInfo).port },
    swallow: () => {
      for (const { from, to } of pipes) {
        from.unpipe(to).resume();
        to.unpipe(from).resume();
      }
    },
  };
}

function returnOf(store: RedisStore): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  store.onReturn(() => resolve(undefined));
  return promise;
}

describe.skipIf(redisUnavailable() !== undefined)('Redis', () => {
  it('that became a replica is left for whatever its name leads to now, and no error tells what was to be written', async () => {
    const redis = await testRedis();
    const store = await connectedStore(redis);
    onTestFinished(() => store.close());
    await typed(redis, 'REPLICAOF 127.0.0.1 1');
    const returned = returnOf(store);
    const error: unknown = await store
      .swap('kis:token', undefined, { value: 'the-token-itself', ttlMs: LONG })
      .catch((cause: unknown) => cause);
    expect(error).toMatchObject({ code: 'STORE_UNAVAILABLE', retryable: true });
    expect(inspect(error, { depth: 20, showHidden: true })).not.toContain('the-token-itself');
    expect(inspect(error)).toContain('READONLY');
    await returned;
    await typed(redis, 'REPLICAOF NO ONE');
    expect(await store.swap('kis:token', undefined, { value: 'the-token-itself', ttlMs: LONG })).toBe(true);
  });

  it('is given nothing later that was to be written before it was reached', async () => {
    const { settings } = await testRedis();
    const store = new RedisStore(settings);
    onTestFinished(() => store.close());
    const returned = returnOf(store);
    const early = store.swap('a', undefined, { value: '1', ttlMs: LONG });
    await expect(early).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    await returned;
    expect(await store.read('a')).toBeUndefined();
  });

  it('keeps a value for as long as it was given', async () => {
    const redis = await testRedis();
    const store = await connectedStore(redis);
    onTestFinished(() => store.close());
    await store.swap('a', undefined, { value: '1', ttlMs: LONG });
    const [answer = ''] = await typed(redis, 'PTTL a');
    expect(Number(answer.slice(1))).toBeGreaterThan(0);
    expect(Number(answer.slice(1))).toBeLessThanOrEqual(LONG);
  });

  it('from which nothing comes any more is tried by another connection within seconds', async () => {
    const { settings, swallow } = await startSwallowing(await testRedis());
    const store = new RedisStore(settings);
    onTestFinished(() => store.close());
    await returnOf(store);
    await store.swap('a', undefined, { value: '1', ttlMs: LONG });
    swallow();
    const returned = returnOf(store);
    await expect(store.read('a')).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    await returned;
    expect(await store.read('a')).toBe('1');
  });
});
