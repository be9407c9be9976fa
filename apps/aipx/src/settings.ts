import { MarketDataError } from '@aipx/market-model';
import {
  defineSettings,
  invocationFolder,
  loadSettings,
  rule,
  settingFile,
  sharedKafka,
  sharedLake,
  sharedS3,
  sharedTimescaledb,
  timescaledbSslRule,
  type SettingsOf,
} from '@aipx/service';
import { databaseSsl, type DatabaseAddress } from '@aipx/timescale';

/** What services are told and reading does not need. In their `.env` and YAML files it is known, and has no effect here. */
const OF_SERVICES = {
  service: ['SERVICE_NAME', 'ENVIRONMENT', 'LOG_LEVEL', 'LOG_FORMAT', 'LOG_FILE', 'HTTP_PORT', 'SHUTDOWN_GRACE'],
  kafka: [
    'KAFKA_GROUP_ID',
    'KAFKA_TOPICS',
    'KAFKA_SESSION_TIMEOUT',
    'KAFKA_COMPRESSION',
    'KAFKA_LINGER',
    'KAFKA_ACKS',
    'KAFKA_MAX_CONSECUTIVE_ERRORS',
    'KAFKA_TOPIC_PARTITIONS',
    'KAFKA_TOPIC_REPLICATION',
  ],
  timescaledb: ['TIMESCALEDB_POOL_SIZE', 'MAX_RETRIES', 'MIGRATE_ON_START'],
  s3: ['S3_SINGLE_WRITER', 'S3_BATCH_SIZE', 'S3_BATCH_BYTES', 'S3_BATCH_TIMEOUT_SEC', 'S3_COMPRESSION'],
  recorder: [
    'BATCH_SIZE',
    'BATCH_TIMEOUT_MS',
    'NUM_CONSUMERS',
    'DB_WRITE_WORKERS',
    'MAX_BUFFER_SIZE',
    'MAX_BUFFER_BYTES',
    'SINK_MAX_LAG',
  ],
};

const { brokers, clientId, requestTimeout } = sharedKafka;

const schema = defineSettings({
  app: 'aipx',
  tree: {
    kafka: { brokers, clientId: { ...clientId, default: 'aipx' }, requestTimeout },
    timescaledb: sharedTimescaledb,
    s3: sharedS3,
    lake: sharedLake,
  },
  otherApps: OF_SERVICES,
  rules: [
    timescaledbSslRule,
    rule([sharedTimescaledb.writeEnabled, sharedS3.writeEnabled], (database, lake) =>
      database || lake
        ? []
        : [
            {
              setting: sharedS3.writeEnabled,
              says: 'false, as TIMESCALEDB_WRITE_ENABLED is: there is nothing to read',
            },
          ],
    ),
  ],
});

export type Settings = SettingsOf<typeof schema.tree>;

/**
 * @param note takes a line for each variable that looks as if it were meant for this app and is none of its settings
 * @throws {MarketDataError} `CONFIG_INVALID` with every fault there is
 */
export async function readSettings(configFile: string | undefined, note: (text: string) => void): Promise<Settings> {
  const { values, warnings } = await loadSettings(schema, { configFile, folder: invocationFolder() });
  for (const warning of warnings) note(`${warning}\n`);
  return values;
}

/** @throws {MarketDataError} `CONFIG_INVALID` without a password, or for authorities that cannot be read */
export async function databaseAddress({ timescaledb }: Settings): Promise<DatabaseAddress> {
  const { host, port, user, password, db, ssl, sslCa } = timescaledb;
  if (password === undefined) {
    throw new MarketDataError(
      'CONFIG_INVALID',
      `TIMESCALEDB_PASSWORD (not set): expected the password of ${user} on ${host}:${port}, in the environment or in .env`,
    );
  }
  const authorities =
    sslCa === undefined ? undefined : await settingFile('TIMESCALEDB_SSL_CA', sslCa, invocationFolder());
  return { host, port, user, password, database: db, ssl: databaseSsl(ssl, authorities) };
}
