import type { Gap, Tick } from '@aipx/market-model';
import { kafkaUnavailable, redisUnavailable, startRedis } from '@aipx/stack';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { RunningApp } from './support/app.js';
import { startKis, testFolder } from './support/kis.js';
import { Topics } from './support/topics.js';

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

  it('name what is missing between the one and the other, and no more', async () => {
    const { settings } = await startKis();
    const redis = await redisFor();
    const topics = await Topics.open(broker);
    const shared = { ...settings, ...redis.settings, KAFKA_BROKERS: broker, LOG_LEVEL: 'debug' };
    const start = () => new RunningApp({ ...shared, TMPDIR: testFolder(), SPILL_DIR: testFolder() });
    const first = start();
    await first.published(1_000);
    const next = start();
    await next.says(/^kis waits: account "default": another process has its session$/);
    // What comes while the next one stands by is not missing.
    await first.published(2_000);
    expect((await first.stop()).code).toBe(0);
    await next.published(1_000);
    expect((await next.stop()).code).toBe(0);

    const ticks = (await topics.eventsOf('kis', 'tick')).filter((event): event is Tick => event.kind === 'tick');
    // From 0: of the log before this test the first process knows nothing.
    const gaps = (await topics.eventsOf('kis', 'gap')).filter(
      (event): event is Gap => event.kind === 'gap' && event.from > 0n,
    );
    for (const symbol of new Set(ticks.map((tick) => tick.symbol))) {
      const { before, after, missing } = absenceIn(ticks.filter((tick) => tick.symbol === symbol));
      const named = gaps.filter((gap) => gap.symbol === symbol && gap.channel === 'tick');
      const [reconnect, ...others] = named.filter(({ cause }) => cause === 'RECONNECT');
      expect(others).toEqual([]);
      expect(reconnect).toMatchObject({ from: before.receivedTimestamp, detail: 'not running' });
      expect(reconnect?.to).toBeLessThanOrEqual(after.receivedTimestamp);
      const sequence = named.filter(({ cause }) => cause === 'SEQUENCE');
      expect(sequence).toMatchObject(
        missing === 0
          ? []
          : [{ from: before.receivedTimestamp, to: after.receivedTimestamp, missedVolume: String(missing) }],
      );
    }
    expect(gaps.filter(isOfBooks).map(({ cause }) => cause)).toEqual(['RECONNECT', 'RECONNECT', 'RECONNECT']);
  });

  it('say that nobody records what the one that stands by takes, and the other does not', async () => {
    const { settings } = await startKis();
    const redis = await redisFor();
    const shared = { ...settings, ...redis.settings, KAFKA_BROKERS: broker, LOG_LEVEL: 'debug' };
    const [one = '', two = '', other = ''] = String(settings['MARKETS']).split(',');
    const holder = new RunningApp({ ...shared, MARKETS: `${one},${two}`, TMPDIR: testFolder() });
    await holder.says(/^kis connected/);
    const next = new RunningApp({ ...shared, MARKETS: `${two},${other}`, TMPDIR: testFolder() });
    const fault = `nobody records KRX ${other.slice(4)} tick`;
    const { level } = await next.untilLine(({ message }) => message.startsWith(`kis: ${fault}`));
    expect(level).toBe('warn');
    expect(await next.get('/health')).toMatchObject({
      status: 503,
      body: expect.stringContaining(`DEGRADED\nkis: standing by; ${fault}`) as string,
    });
    expect((await next.get('/ready')).status).toBe(200);
    expect((await holder.stop()).code).toBe(0);
    await next.says(/^kis: no longer so: nobody records/);
    expect((await next.stop()).code).toBe(0);
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
    // Nothing waits for it; that it was away before the first session was asked for may have been told in other words.
    const risk = `Redis at 127.0.0.1:${redis.server.port} does not answer: the sessions go on, but their leases are not renewed`;
    const { level } = await app.untilLine(({ message }) => message.startsWith(`kis: ${risk}`));
    expect(level).toBe('warn');
    expect(await app.get('/health')).toMatchObject({
      status: 200,
      body: expect.stringContaining(risk) as string,
    });
    await app.published(2_000);
    expect((await app.stop()).code).toBe(0);
    expect(witness).toEqual({ inUse: 0, approvalKeys: 1 });
  });
});

/** The one place at which trades of a symbol are missing, by the volumes of the day, or the longest pause between two. */
function absenceIn(ticks: readonly Tick[]): { before: Tick; after: Tick; missing: number } {
  const pairs = ticks.slice(1).map((after, index) => {
    const before = ticks[index] as Tick;
    const missing = cumulativeOf(after) - Number(after.volume) - cumulativeOf(before);
    return { before, after, missing, pause: after.receivedTimestamp - before.receivedTimestamp };
  });
  const torn = pairs.filter(({ missing }) => missing !== 0);
  expect(torn.length).toBeLessThan(2);
  const longest = pairs.reduce((a, b) => (b.pause > a.pause ? b : a));
  return torn[0] ?? longest;
}

function cumulativeOf({ tradeId }: Tick): number {
  return Number(tradeId.split('-')[2]);
}

function isOfBooks({ channel }: Gap): boolean {
  return channel === 'orderbook';
}
