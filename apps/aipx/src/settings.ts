import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { MarketDataError } from '@aipx/market-model';
import {
  boolean,
  choice,
  defineSettings,
  duration,
  integer,
  invocationFolder,
  list,
  loadSettings,
  path,
  rule,
  secretText,
  text,
  url,
  type SettingsOf,
} from '@aipx/service';
import { databaseSsl, SSL_MODES, type DatabaseAddress } from '@aipx/timescale';

const name = () => text('a name of letters, digits, dots, hyphens and underscores', /^[\w.-]+$/);

/** The recorder's own names, as far as reading needs them. Those of writing are known and have no effect here. */
const WRITING = [
  'KAFKA_GROUP_ID',
  'KAFKA_TOPICS',
  'KAFKA_SESSION_TIMEOUT',
  'KAFKA_COMPRESSION',
  'KAFKA_LINGER',
  'KAFKA_ACKS',
  'KAFKA_MAX_CONSECUTIVE_ERRORS',
  'TIMESCALEDB_POOL_SIZE',
  'S3_SINGLE_WRITER',
  'S3_BATCH_SIZE',
  'S3_BATCH_BYTES',
  'S3_BATCH_TIMEOUT_SEC',
  'S3_COMPRESSION',
];

const bucketName = text('a name of 3 to 63 letters, digits, dots and dashes', /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/);

const tree = {
  kafka: {
    brokers: {
      env: 'KAFKA_BROKERS',
      type: list(text('an address such as localhost:9092', /^(\[[\da-fA-F:]+\]|[\w.-]+):\d{1,5}$/)),
      default: 'localhost:9092',
      describe: 'Brokers to ask first; they name the others',
    },
    clientId: {
      env: 'KAFKA_CLIENT_ID',
      type: name(),
      default: 'aipx',
      describe: 'Name of this client in the logs and quotas of the brokers',
    },
    requestTimeout: {
      env: 'KAFKA_REQUEST_TIMEOUT',
      type: duration({ min: '1s', max: '10m' }),
      default: '30s',
      describe: 'Longest wait for the answer to a request',
    },
    topicPartitions: {
      env: 'KAFKA_TOPIC_PARTITIONS',
      type: integer({ min: 1, max: 1_000 }),
      default: '6',
      describe: 'Partitions of a topic that does not exist yet',
    },
    topicReplication: {
      env: 'KAFKA_TOPIC_REPLICATION',
      type: integer({ min: 1, max: 9 }),
      default: '1',
      describe: 'Copies of a topic that does not exist yet',
    },
  },
  timescaledb: {
    writeEnabled: {
      env: 'TIMESCALEDB_WRITE_ENABLED',
      type: boolean(),
      default: 'true',
      describe: 'Whether the recorder fills the database; else verify leaves it out',
    },
    host: { env: 'TIMESCALEDB_HOST', type: text('a host'), default: 'localhost', describe: 'Where the database is' },
    port: {
      env: 'TIMESCALEDB_PORT',
      type: integer({ min: 1, max: 65_535 }),
      default: '5433',
      describe: 'Its port',
    },
    user: { env: 'TIMESCALEDB_USER', type: text('a user'), default: 'aipx', describe: 'Who asks' },
    password: {
      env: 'TIMESCALEDB_PASSWORD',
      type: secretText(),
      secret: true,
      describe: 'The password of that user',
    },
    db: {
      env: 'TIMESCALEDB_DB',
      type: text('a name of a database'),
      default: 'aipx_timeseries',
      describe: 'Name of the database',
    },
    ssl: {
      env: 'TIMESCALEDB_SSL',
      type: choice(...SSL_MODES),
      default: 'off',
      describe: 'Whether connections are encrypted; verify also proves that the server is the one of that name',
    },
    sslCa: {
      env: 'TIMESCALEDB_SSL_CA',
      type: path(),
      describe: 'PEM file of the authorities that verify believes',
    },
    retention: {
      env: 'TIMESCALEDB_RETENTION',
      type: duration({ min: '24h', max: '876000h', zero: 'keep' }),
      describe: 'How long the database keeps ticks and books',
    },
  },
  s3: {
    writeEnabled: {
      env: 'S3_WRITE_ENABLED',
      type: boolean(),
      default: 'true',
      describe: 'Whether the recorder fills the lake; else verify leaves it out',
    },
    bucket: { env: 'S3_BUCKET', type: bucketName, default: 'aipx-data-lake', describe: 'Bucket of the lake' },
    region: { env: 'S3_REGION', type: name(), default: 'ap-northeast-2', describe: 'Region of the bucket' },
    endpoint: { env: 'S3_ENDPOINT', type: url('http', 'https'), describe: 'An S3-compatible store instead of AWS' },
    prefix: {
      env: 'S3_PREFIX',
      type: text('a path without slashes at its ends', /^[^/\\\s]+(\/[^/\\\s]+)*$/),
      default: 'market-data',
      describe: 'What every key of the lake begins with',
    },
  },
  lake: {
    dir: { env: 'LAKE_DIR', type: path(), describe: 'A folder that is the lake instead of S3' },
  },
} as const;

const schema = defineSettings({
  app: 'aipx',
  tree,
  otherApps: WRITING,
  rules: [
    rule([tree.timescaledb.writeEnabled, tree.s3.writeEnabled], (database, lake) =>
      database || lake
        ? []
        : [{ setting: tree.s3.writeEnabled, says: 'false, as TIMESCALEDB_WRITE_ENABLED is: there is nothing to read' }],
    ),
  ],
});

export type Settings = SettingsOf<typeof schema.tree>;

/** @throws {MarketDataError} `CONFIG_INVALID` with every fault there is */
export async function readSettings(configFile: string | undefined): Promise<Settings> {
  const { values } = await loadSettings(schema, { configFile, folder: invocationFolder() });
  return values;
}

/** @throws {MarketDataError} `CONFIG_INVALID` without a password, or for authorities that cannot be read or are not asked for */
export async function databaseAddress({ timescaledb }: Settings): Promise<DatabaseAddress> {
  const { host, port, user, password, db, ssl, sslCa } = timescaledb;
  if (password === undefined) {
    throw new MarketDataError(
      'CONFIG_INVALID',
      `TIMESCALEDB_PASSWORD (not set): expected the password of ${user} on ${host}:${port}, in the environment or in .env`,
    );
  }
  const authorities = sslCa === undefined ? undefined : await readAuthorities(sslCa);
  return { host, port, user, password, database: db, ssl: databaseSsl(ssl, authorities) };
}

async function readAuthorities(file: string): Promise<string> {
  try {
    return await readFile(resolve(invocationFolder(), file), 'utf8');
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new MarketDataError('CONFIG_INVALID', `TIMESCALEDB_SSL_CA: ${file} cannot be read: ${why}`, { cause });
  }
}
