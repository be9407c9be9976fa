import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { kafkaUnavailable, startKafka } from '@aipx/stack';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { RunningApp } from './support/app.js';
import { startMarket } from './support/market.js';

const broker = inject('broker') ?? '';
const missing = kafkaUnavailable();
const why = missing === undefined ? '' : ` (needs Kafka: ${missing})`;

describe.skipIf(missing !== undefined)(`the service on a real broker${why}`, () => {
  it('publishes, tells how it is, and ends cleanly on SIGTERM', async () => {
    const { settings, simulator } = await startMarket();
    const app = new RunningApp({ ...settings, KAFKA_BROKERS: broker, LOG_LEVEL: 'debug' });
    await app.published(1_000);

    expect(await app.get('/live')).toMatchObject({ status: 200 });
    expect(await app.get('/ready')).toMatchObject({ status: 200 });
    const health = await app.get('/health');
    expect(health).toMatchObject({
      status: 200,
      body: expect.stringMatching(/^HEALTHY\nupbit: connected\nkafka: /) as string,
    });
    const json = JSON.parse((await app.get('/health', { accept: 'application/json' })).body) as { status: string };
    expect(json.status).toBe('HEALTHY');

    const { body } = await app.get('/metrics');
    for (const name of [
      'messages_received_total{venue="upbit",kind="tick"}',
      'messages_published_total{venue="upbit",kind="orderbook"}',
      'publish_errors_total{venue="upbit",kind="tick"}',
      'processing_latency_seconds_count',
      'kafka_publish_latency_seconds_count',
      'connection_state{venue="upbit",state="CONNECTED"}',
      'consecutive_errors',
      'service_info{',
      'dropped_total{reason="overflow"}',
      'buffer_messages',
      'buffer_bytes',
      'spill_bytes',
      'event_loop_delay_seconds{quantile="0.99"}',
    ]) {
      expect(body).toContain(`ingestion_${name}`);
    }
    expect(body).not.toContain('KRW-BTC');

    const { code, tookMs } = await app.stop();
    expect(code).toBe(0);
    expect(tookMs).toBeLessThan(10_000);
    const { published } = (await app.says(/^published \d+ messages/)) as unknown as { published: number };
    expect(published).toBeGreaterThan(1_000);
    expect(published).toBeLessThanOrEqual(simulator.sent);
  });

  it('says that the venue is down, and recovers by itself', async () => {
    const { settings, simulator } = await startMarket();
    const app = new RunningApp({ ...settings, KAFKA_BROKERS: broker, LOG_LEVEL: 'debug' });
    await app.published(1_000);
    simulator.inject({ fault: 'refuse-connections', count: 1, status: 503 });
    simulator.inject({ fault: 'cut', how: 'reset' });
    await app.says(/^upbit reconnecting: /);
    const health = await app.get('/health');
    expect(health).toMatchObject({
      status: 503,
      body: expect.stringMatching(/^UNHEALTHY\nupbit: reconnecting: /) as string,
    });
    expect((await app.get('/live')).status).toBe(200);
    await app.published(3_000);
    expect((await app.get('/health')).status).toBe(200);
    expect((await app.get('/metrics')).body).toMatch(
      /ingestion_gaps_published_total\{venue="upbit",cause="RECONNECT"\} [1-9]/,
    );
    expect((await app.stop('SIGINT')).code).toBe(0);
  });

  it('waits for a venue that is not there, then goes on without a restart', async () => {
    const port = await freePort();
    const { settings, simulator } = await startMarket();
    await simulator.stop();
    const app = new RunningApp({
      ...settings,
      KAFKA_BROKERS: broker,
      LOG_LEVEL: 'debug',
      UPBIT_WEBSOCKET_URL: `ws://127.0.0.1:${port}/websocket/v1`,
    });
    await app.says(/^upbit reconnecting: .*nothing listens/);
    expect((await app.get('/health')).status).toBe(503);
    await startMarket({ port });
    await app.published(1_000);
    expect((await app.stop()).code).toBe(0);
  });

  it('ends with code 4 when the last venue is given up', async () => {
    const { settings, simulator } = await startMarket();
    await simulator.stop();
    const app = new RunningApp({
      ...settings,
      KAFKA_BROKERS: broker,
      UPBIT_RECONNECT_RETRIES: '2',
      UPBIT_RECONNECT_DELAY: '250ms',
    });
    expect(await app.exited).toBe(4);
    expect(app.lines.some(({ code }) => code === 'CONNECTION_NO_VENUE_LEFT')).toBe(true);
  });
});

describe.skipIf(missing !== undefined)(`a broker that is not there${why}`, () => {
  it('is waited for at the start with a clear sentence, and used as soon as it comes', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'aipx-late-kafka-'));
    const port = await freePort();
    const { settings } = await startMarket();
    const app = new RunningApp({ ...settings, KAFKA_BROKERS: `127.0.0.1:${port}`, LOG_LEVEL: 'debug' });
    const { message } = await app.says(/^kafka: /);
    expect(message).toContain(`127.0.0.1:${port}`);
    expect((await app.get('/live')).status).toBe(200);
    expect((await app.get('/ready')).status).toBe(503);
    expect(await app.get('/health')).toMatchObject({
      status: 503,
      body: expect.stringContaining('kafka: waiting for it') as string,
    });

    const kafka = await startKafka({ folder, ports: [port], signal: AbortSignal.timeout(120_000) });
    onTestFinished(async () => {
      await kafka.stop();
      await rm(folder, { recursive: true, force: true });
    });
    await app.published(1_000);
    expect((await app.stop()).code).toBe(0);
  });

  it('does not keep a stop waiting', async () => {
    const { settings } = await startMarket();
    const app = new RunningApp({ ...settings, KAFKA_BROKERS: `127.0.0.1:${await freePort()}` });
    await app.says(/^kafka: /);
    const { code, tookMs } = await app.stop();
    expect(code).toBe(0);
    expect(tookMs).toBeLessThan(9_000);
  });

  it('whose name nobody knows is told by its name', async () => {
    const { settings } = await startMarket();
    const app = new RunningApp({ ...settings, KAFKA_BROKERS: 'no-such-broker.invalid:9092' });
    const { message } = await app.says(/^kafka: /);
    expect(message).toContain('no-such-broker.invalid');
    expect((await app.stop()).code).toBe(0);
  });
});

async function freePort(): Promise<number> {
  const server = createServer();
  const { promise, resolve } = Promise.withResolvers<number>();
  server.listen(0, '127.0.0.1', () => {
    const address = server.address();
    server.close(() => {
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
  return promise;
}
