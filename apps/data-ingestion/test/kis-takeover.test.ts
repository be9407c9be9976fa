import { kafkaUnavailable, redisUnavailable, startRedis } from '@aipx/stack';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { RunningApp } from './support/app.js';
import { startKis, testFolder } from './support/kis.js';

const broker = inject('broker') ?? '';
const missing = kafkaUnavailable() ?? redisUnavailable();
const why = missing === undefined ? '' : ` (needs Kafka and Redis: ${missing})`;

async function redisFor(): Promise<{
  readonly server: Awaited<ReturnType<typeof startRedis>>;
  readonly settings: Readonly<Record<string, string>>;
}> {
  const server = await startRedis({
    folder: testFolder(),
    password: 'of-this-test',
    signal: AbortSignal.timeout(60_000),
  });
  onTestFinished(() => server.stop());
  return {
    server,
    settings: { REDIS_HOST: server.host, REDIS_PORT: String(server.port), REDIS_PASSWORD: 'of-this-test' },
  };
}

describe.skipIf(missing !== undefined)(`several processes with one key of KIS${why}`, () => {
  it('take over from each other at once and never meet a session that is in use', async () => {
    const { settings, witness } = await startKis();
    const redis = await redisFor();
    const shared = { ...settings, ...redis.settings, KAFKA_BROKERS: broker, LOG_LEVEL: 'debug' };
    // Machines of their own: Redis is all that they share.
    const start = () => new RunningApp({ ...shared, TMPDIR: testFolder() });
    let running = start();
    await running.published(1_000);
    for (let release = 0; release < 2; release += 1) {
      const next = start();
      await next.says(/^kis waits: account "default": another process has its session$/);
      expect(await next.get('/health')).toMatchObject({
        status: 200,
        body: expect.stringMatching(
          /^HEALTHY\nkis: standing by; account "default": another process has its session/,
        ) as string,
      });
      expect((await next.get('/ready')).status).toBe(200);
      const { code, tookMs } = await running.stop();
      expect(code).toBe(0);
      expect(tookMs).toBeLessThan(10_000);
      await next.says(/^kis connected/);
      await next.published(1_000);
      running = next;
    }
    expect((await running.stop()).code).toBe(0);
    expect(witness).toEqual({ inUse: 0, approvalKeys: 1 });
  });

  it('wait for a Redis that is away at the start, and say so', async () => {
    const { settings, witness } = await startKis();
    const redis = await redisFor();
    await redis.server.stop();
    const app = new RunningApp({ ...settings, ...redis.settings, KAFKA_BROKERS: broker, LOG_LEVEL: 'debug' });
    const sentence = `account "default": Redis at 127.0.0.1:${redis.server.port} does not answer`;
    await app.untilLine(({ message }) => message === `kis waits: ${sentence}`);
    expect((await app.get('/ready')).status).toBe(200);
    expect((await app.get('/health')).body).toContain(sentence);
    expect(witness.approvalKeys).toBe(0);
    await redis.server.start();
    await app.published(1_000);
    await redis.server.kill();
    await app.untilLine(
      ({ message }) => message === `kis waits: Redis at 127.0.0.1:${redis.server.port} does not answer`,
    );
    expect(await app.get('/health')).toMatchObject({
      status: 200,
      body: expect.stringContaining('does not answer') as string,
    });
    await app.published(2_000);
    expect((await app.stop()).code).toBe(0);
    expect(witness).toEqual({ inUse: 0, approvalKeys: 1 });
  });
});
