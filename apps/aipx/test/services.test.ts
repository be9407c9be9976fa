import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedPostgres } from '@aipx/embedded-postgres';
import { DEAD_LETTER_TOPIC } from '@aipx/event-log';
import { KafkaEventLog } from '@aipx/event-log/kafka';
import { record } from '@aipx/inspection/testing';
import { S3ObjectStore } from '@aipx/lake';
import { EVENT_TOPICS } from '@aipx/market-proto';
import { kafkaUnavailable, startKafka, startS3 } from '@aipx/stack';
import { Kafka, logLevel } from 'kafkajs';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aipx, lastLine, type Outcome } from './support/aipx.js';
import { market } from './support/market.js';

const missing = kafkaUnavailable();
const why = missing === undefined ? '' : ` (${missing})`;
const RECORDS = 60;

describe.skipIf(missing !== undefined)(`aipx on Kafka, PostgreSQL and S3${why}`, () => {
  const closing = new AsyncDisposableStack();
  let settings: Readonly<Record<string, string>>;
  let database: Client;
  let withoutTopics: { readonly outcome: Outcome; readonly topics: readonly string[] };

  beforeAll(async () => {
    const folder = await mkdtemp(join(tmpdir(), 'aipx-command-'));
    closing.defer(() => rm(folder, { recursive: true, force: true }));
    const signal = AbortSignal.timeout(150_000);
    const kafka = await startKafka({ folder: join(folder, 'kafka'), signal });
    closing.defer(() => kafka.stop());
    const s3 = await startS3({ folder: join(folder, 's3'), conditionalWrites: false, signal });
    closing.defer(() => s3.stop());
    const postgres = await startEmbeddedPostgres({ dataDir: join(folder, 'postgres'), signal });
    closing.defer(() => postgres.stop());
    const bucket = 'aipx-data-lake';
    await s3.createBucket(bucket);
    settings = {
      KAFKA_BROKERS: kafka.brokers.join(','),
      TIMESCALEDB_HOST: postgres.host,
      TIMESCALEDB_PORT: String(postgres.port),
      TIMESCALEDB_USER: postgres.user,
      TIMESCALEDB_PASSWORD: postgres.password,
      TIMESCALEDB_DB: postgres.database,
      S3_BUCKET: bucket,
      S3_ENDPOINT: s3.endpoint,
      AWS_ACCESS_KEY_ID: s3.accessKeyId,
      AWS_SECRET_ACCESS_KEY: s3.secretAccessKey,
    };
    const migrated = await aipx(['migrate', 'up'], settings);
    if (migrated.code !== 0) throw new Error(migrated.errors);
    withoutTopics = { outcome: await aipx(['verify'], settings), topics: await topicsOf(kafka.brokers) };
    await using recording = new AsyncDisposableStack();
    const log = await KafkaEventLog.open({
      brokers: kafka.brokers,
      clientId: 'test',
      topics: Object.fromEntries([...Object.values(EVENT_TOPICS), DEAD_LETTER_TOPIC].map((topic) => [topic, 2])),
      replication: 1,
      compression: 'zstd',
      acks: 'all',
      requestTimeoutMs: 30_000,
      signal,
    });
    recording.defer(() => log.close());
    const { region, endpoint } = s3;
    const credentials = { accessKeyId: s3.accessKeyId, secretAccessKey: s3.secretAccessKey };
    const objects = await S3ObjectStore.open({
      ...{ bucket, region, endpoint, credentials, signal },
      prefix: 'market-data',
      singleWriter: true,
    });
    recording.defer(() => {
      objects.close();
    });
    await log.append(market(RECORDS));
    await record(log, postgres, objects);
    database = new Client({ connectionString: postgres.url });
    await database.connect();
    closing.defer(() => database.end());
  });

  afterAll(() => closing.disposeAsync());

  it('makes no topics: says which ones are not there, and leaves the brokers as they were', () => {
    expect(withoutTopics).toMatchObject({
      outcome: {
        code: 2,
        out: '',
        errors: expect.stringMatching(
          /^CONFIG_INVALID: the cluster has no topic market\.tick, market\.orderbook, market\.gap, market\.dlq, and who only reads makes none/,
        ),
      },
      topics: [],
    });
  });

  it('verifies that everything is stored once, digit by digit', async () => {
    const outcome = await aipx(['verify', '--wait', '5s'], settings);
    expect(outcome).toMatchObject({ code: 0 });
    expect(lastLine(outcome)).toBe('0 lost, 0 doubled, 0 different, 0 conflicts');
    expect(outcome.out).toMatch(/^market\.tick +2024-05-01T13:00 +5 +5 +5 /m);
    expect(outcome.out).toMatch(/^total +60 +60 +60 /m);
  });

  it('asks the lake and the database, with the same rows from both', async () => {
    const bars = ['query', 'bars', '--symbol', 'KRW-ETH', '--interval', '1h', '--format', 'csv'];
    const { code, out } = await aipx(bars, settings);
    expect({ code, out }).toEqual({
      code: 0,
      out:
        'bucket,exchange,symbol,open,high,low,close,volume,tick_count\n' +
        '2024-05-01 13:00:00+00,upbit,KRW-ETH,97000004.5,97000004.5,97000004.5,97000004.5,0.00012345,1\n' +
        '2024-05-01 14:00:00+00,upbit,KRW-ETH,97000010.5,97000058.5,97000010.5,97000058.5,0.00111105,9\n',
    });
    expect((await aipx([...bars, '--source', 'database'], settings)).out).toBe(out);
    const sql = 'SELECT symbol, count(*)::INTEGER AS trades FROM tick GROUP BY symbol ORDER BY symbol';
    expect((await aipx(['query', 'sql', sql, '--format', 'json'], settings)).out).toBe(
      '{"symbol":"BTC-ETH","trades":10}\n{"symbol":"KRW-BTC","trades":10}\n{"symbol":"KRW-ETH","trades":10}\n',
    );
  });

  it('says what is done in the database', async () => {
    expect(await aipx(['migrate', 'status'], settings)).toMatchObject({
      code: 0,
      out: expect.stringMatching(/0001_hot_store +done/),
    });
    expect(await aipx(['migrate', 'up'], settings)).toMatchObject({
      code: 0,
      out: expect.stringContaining('nothing to do'),
    });
  });

  it('names a row of a partition that the topic does not have, also when it looks anew', async () => {
    await database.query(
      `INSERT INTO orderbook SELECT (jsonb_populate_record(o, '{"log_partition": 2}')).* FROM orderbook o WHERE time = '2024-05-01 13:59:51Z'`,
    );
    const { code, out } = await aipx(['verify', '--topic', 'market.orderbook'], settings);
    await database.query('DELETE FROM orderbook WHERE log_partition = 2');
    expect(code).toBe(1);
    expect(out).toMatch(
      /^DIFFERENT database: market\.orderbook\/2\/0 .*: a row stands here, and the topic has no such partition, its 2 count from 0$/m,
    );
  });

  it('names a row that is gone, and ends with 1', async () => {
    await database.query(`DELETE FROM orderbook WHERE time = '2024-05-01 13:59:51Z'`);
    const outcome = await aipx(['verify'], settings);
    expect(outcome.code).toBe(1);
    expect(outcome.out).toMatch(
      /^LOST database: market\.orderbook\/\d\/0 upbit KRW-ETH 2024-05-01T13:59:51Z: no row$/m,
    );
    expect(lastLine(outcome)).toBe('1 lost, 0 doubled, 0 different, 0 conflicts');
    const [finding, summary] = (await aipx(['verify', '--json', '--topic', 'market.orderbook'], settings)).out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown);
    expect(finding).toMatchObject({
      event: 'finding',
      kind: 'lost',
      topic: 'market.orderbook',
      offset: '0',
      symbol: 'KRW-ETH',
    });
    expect(summary).toMatchObject({ event: 'summary', ok: false, lost: 1, log: 30, database: 29 });
  });

  it('ends with 3 when a part is away, and says which', async () => {
    expect(await aipx(['verify'], { ...settings, TIMESCALEDB_PORT: '1' })).toMatchObject({
      code: 3,
      errors: expect.stringMatching(/^STORE_UNAVAILABLE: database .*127\.0\.0\.1:1: .*ECONNREFUSED/),
    });
  });
});

/** As an operator's tool, which shares no code with ours, sees them. */
async function topicsOf(brokers: readonly string[]): Promise<readonly string[]> {
  const admin = new Kafka({ brokers: [...brokers], clientId: 'operator', logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  try {
    return await admin.listTopics();
  } finally {
    await admin.disconnect();
  }
}
