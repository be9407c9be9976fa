import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { envExample, loadSettings } from '@aipx/service';
import { describe, expect, it } from 'vitest';
import { dataRecorderSettings, recorderSchema, type DataRecorderSettings } from './settings.js';

const REGENERATE = 'node apps/data-recorder/dist/main.js --print-env-example > apps/data-recorder/.env.example';
const FOLDER = join(import.meta.dirname, '..');
const EMPTY_FOLDER = '/nowhere';
const MIB = 1024 ** 2;

type Environment = Readonly<Record<string, string>>;

const PASSWORD = { TIMESCALEDB_PASSWORD: 'secret' };

async function settings(environment: Environment): Promise<DataRecorderSettings> {
  const { values } = await loadSettings(recorderSchema, { environment, folder: EMPTY_FOLDER });
  return dataRecorderSettings(values);
}

/** The lines of the refusal, without its first. */
async function faults(environment: Environment): Promise<readonly string[]> {
  const error = await settings(environment).then(
    () => new Error('nothing was refused'),
    (cause: unknown) => cause as Error,
  );
  return error.message.split('\n').slice(1);
}

describe('the settings of data-recorder', () => {
  it('have the defaults of the design', async () => {
    expect(await settings(PASSWORD)).toEqual({
      service: {
        name: 'data-recorder',
        environment: 'development',
        logLevel: 'info',
        logFormat: 'json',
        logFile: undefined,
        shutdownGraceMs: 30_000,
      },
      http: { port: 8080 },
      kafka: {
        brokers: ['localhost:9092'],
        clientId: 'data-recorder',
        groupId: 'data-recorder-group',
        topics: ['market.tick', 'market.orderbook', 'market.gap'],
        compression: 'zstd',
        requestTimeoutMs: 30_000,
        sessionTimeoutMs: 30_000,
        topicPartitions: 6,
        topicReplication: 1,
      },
      timescaledb: {
        enabled: true,
        address: {
          host: 'localhost',
          port: 5433,
          user: 'aipx',
          password: 'secret',
          database: 'aipx_timeseries',
        },
        ssl: 'off',
        sslCa: undefined,
        poolSize: 4,
        maxRetries: 3,
        migrateOnStart: false,
        retentionMs: undefined,
      },
      lake: {
        enabled: true,
        target: {
          kind: 's3',
          bucket: 'aipx-data-lake',
          region: 'ap-northeast-2',
          endpoint: undefined,
          singleWriter: false,
        },
        prefix: 'market-data',
        batchRows: 100_000,
        batchBytes: 16 * MIB,
        batchTimeoutMs: 3_600_000,
        compression: 'snappy',
      },
      recorder: {
        concurrency: 6,
        hot: {
          batchSize: 1_000,
          batchTimeoutMs: 5_000,
          writers: 2,
          maxBufferedRecords: 10_000,
          maxBufferedBytes: 64 * MIB,
        },
        cold: { maxBufferBytes: 192 * MIB },
        sinkMaxLagMs: 60_000,
      },
    });
  });

  it.each<[string, Environment, object]>([
    ['a folder instead of S3', { LAKE_DIR: '/lake' }, { lake: { target: { kind: 'folder', folder: '/lake' } } }],
    ['another S3', { S3_ENDPOINT: 'http://minio:9000' }, { lake: { target: { endpoint: 'http://minio:9000' } } }],
    ['fewer topics, each once', { KAFKA_TOPICS: 'market.gap,market.gap' }, { kafka: { topics: ['market.gap'] } }],
    ['no limit of the lag', { SINK_MAX_LAG: '0' }, { recorder: { sinkMaxLagMs: 0 } }],
    ['a retention', { TIMESCALEDB_RETENTION: '8760h' }, { timescaledb: { retentionMs: 8_760 * 3_600_000 } }],
    ['a migration at the start', { MIGRATE_ON_START: 'true' }, { timescaledb: { migrateOnStart: true } }],
    [
      'shares of the memory for both sinks',
      { MAX_BUFFER_BYTES: '100MiB' },
      { recorder: { hot: { maxBufferedBytes: 25 * MIB }, cold: { maxBufferBytes: 75 * MIB } } },
    ],
    [
      'all of it for the database when it is alone',
      { S3_WRITE_ENABLED: 'false' },
      { lake: { enabled: false }, recorder: { hot: { maxBufferedBytes: 256 * MIB } } },
    ],
  ])('take %s', async (_, environment, expected) => {
    expect(await settings({ ...PASSWORD, ...environment })).toMatchObject(expected);
  });

  it('give all memory to Parquet when it is alone, and then need no password', async () => {
    expect(await settings({ TIMESCALEDB_WRITE_ENABLED: 'false' })).toMatchObject({
      timescaledb: { enabled: false },
      recorder: { cold: { maxBufferBytes: 256 * MIB } },
    });
  });

  it.each<[string, Environment, string]>([
    [
      'no password',
      {},
      'TIMESCALEDB_PASSWORD (not set): expected the password of TIMESCALEDB_USER, or TIMESCALEDB_WRITE_ENABLED=false for no database',
    ],
    [
      'authorities that nothing would check',
      { ...PASSWORD, TIMESCALEDB_SSL_CA: '/ca.pem', TIMESCALEDB_SSL: 'require' },
      'TIMESCALEDB_SSL_CA (environment): nothing would check it: TIMESCALEDB_SSL is require, not verify',
    ],
    [
      'nothing to write to',
      { TIMESCALEDB_WRITE_ENABLED: 'false', S3_WRITE_ENABLED: 'false' },
      'S3_WRITE_ENABLED (environment): false, as TIMESCALEDB_WRITE_ENABLED is: nothing would be recorded, so one of them must be true',
    ],
    [
      'a buffer below a batch of rows',
      { ...PASSWORD, BATCH_SIZE: '20000' },
      'MAX_BUFFER_SIZE (default): 10000 rows are too few: expected BATCH_SIZE at least, which is 20000',
    ],
    [
      'a buffer below a batch of files',
      { ...PASSWORD, MAX_BUFFER_BYTES: '20MiB' },
      `MAX_BUFFER_BYTES (environment): ${20 * MIB} bytes are too few: ${15 * MIB} of them are for Parquet, and one batch is S3_BATCH_BYTES, which is ${16 * MIB}`,
    ],
    [
      'fewer connections than writers',
      { ...PASSWORD, DB_WRITE_WORKERS: '8' },
      'TIMESCALEDB_POOL_SIZE (default): 4 connections are too few: expected DB_WRITE_WORKERS at least, which is 8',
    ],
    [
      'a topic that carries no events',
      { ...PASSWORD, KAFKA_TOPICS: 'market.tick,market.trades' },
      'KAFKA_TOPICS (environment): "market.trades" in "market.tick,market.trades" is wrong: expected a comma-separated list, each item one of market.tick, market.orderbook, market.gap',
    ],
  ])('are refused: %s', async (_, environment, expected) => {
    expect(await faults(environment)).toEqual([expected]);
  });

  it.each<[string, readonly string[]]>([
    ['S3_BUCKET', ['Lake', 'a', 'lake/data', '-lake']],
    ['S3_PREFIX', ['/data', 'data/', 'a//b', '..', 'a/../b', '.']],
    ['S3_ENDPOINT', ['minio:9000', 'http://me:pass@minio:9000']],
    ['KAFKA_SESSION_TIMEOUT', ['30', '5s', '1h']],
    ['KAFKA_GROUP_ID', ['data recorder']],
    ['TIMESCALEDB_PORT', ['0', '65536']],
    ['TIMESCALEDB_HOST', ['postgresql://db']],
    ['S3_COMPRESSION', ['lz4']],
    ['BATCH_TIMEOUT_MS', ['5s', '0']],
    ['NUM_CONSUMERS', ['0']],
    ['MAX_RETRIES', ['0']],
    ['SINK_MAX_LAG', ['100', '500ms']],
  ])('refuse what %s cannot be, and say what it can', async (name, values) => {
    for (const value of values) {
      expect(await faults({ ...PASSWORD, [name]: value })).toEqual([
        expect.stringMatching(new RegExp(`^${name} \\(environment\\): ".*" is not .+`)),
      ]);
    }
  });

  it('warn of a misspelled name, but not of what other apps read', async () => {
    const environment = { ...PASSWORD, KAFKA_LINGER: '5ms', AWS_ACCESS_KEY_ID: 'x', S3_BATCH_SIZ: '7' };
    const { warnings } = await loadSettings(recorderSchema, { environment, folder: EMPTY_FOLDER });
    expect(warnings).toEqual([
      'S3_BATCH_SIZ (environment) is no setting of data-recorder and has no effect; did you mean S3_BATCH_SIZE?',
    ]);
  });
});

describe('what is written about them', () => {
  it('is in .env.example what the schema generates', () => {
    expect(readFileSync(join(FOLDER, '.env.example'), 'utf8'), `it is out of date; renew it by: ${REGENERATE}`).toBe(
      envExample(recorderSchema),
    );
  });

  it('is in the manual, each setting with its default and its meaning', () => {
    const manual = readFileSync(join(FOLDER, 'README.md'), 'utf8');
    const rows = recorderSchema.placed.map(
      ({ setting: { env, describe: meaning, ...setting } }) =>
        `| \`${env}\` | ${setting.default === undefined ? '' : `\`${setting.default}\` `}| ${meaning} |`,
    );
    expect(rows.filter((row) => !manual.includes(row))).toEqual([]);
  });
});
