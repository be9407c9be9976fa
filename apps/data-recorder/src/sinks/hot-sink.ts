import type { EventLog } from '@aipx/event-log';
import { MarketDataError } from '@aipx/market-model';
import { HotRecorder, type HotCounts } from '@aipx/recording';
import { databaseSsl, migrate, migrationStatus, TimescaleStore, type DatabaseAddress } from '@aipx/timescale';
import { settingFile, type Logger } from '@aipx/service';
import type { RecorderSettings, TimescaledbSettings } from '../settings.js';
import { opened } from './opening.js';
import type { OpenSink, SinkContext, SinkHooks } from './sink.js';

export interface HotSinkOptions {
  readonly log: EventLog;
  readonly timescaledb: TimescaledbSettings;
  readonly batches: RecorderSettings['hot'];
  readonly hooks: SinkHooks;
  readonly logger: Logger;
}

/** Opens the database. Waits for one that is away or not migrated yet. */
export async function openHot(options: HotSinkOptions, context: SinkContext): Promise<OpenSink<HotCounts>> {
  const { log, timescaledb, batches, hooks, logger } = options;
  const { signal } = context;
  const { poolSize, maxRetries } = timescaledb;
  const address = await addressOf(timescaledb);
  await opened(() => prepare(address, timescaledb, logger, signal), context);
  const store = new TimescaleStore(address, { poolSize, maxRetries });
  const recorder = new HotRecorder({
    log,
    store,
    signal,
    ...batches,
    onFault: (error) => {
      hooks.onStoreFailed();
      context.onFault(error);
    },
    onCommit: (_, millis) => hooks.onStored(millis),
  });
  return { recorder, counts: () => recorder.counts, close: () => store.close() };
}

/** @throws {MarketDataError} `CONFIG_INVALID` for a file of authorities that cannot be read */
async function addressOf({ address, ssl, sslCa }: TimescaledbSettings): Promise<DatabaseAddress> {
  const ca = sslCa === undefined ? undefined : await settingFile('TIMESCALEDB_SSL_CA', sslCa);
  return { ...address, ssl: databaseSsl(ssl, ca) };
}

/** @throws {MarketDataError} `STORE_REFUSED` for a database without the tables of this version */
async function prepare(
  address: DatabaseAddress,
  { migrateOnStart, retentionMs }: TimescaledbSettings,
  logger: Logger,
  signal: AbortSignal,
): Promise<void> {
  if (migrateOnStart) {
    const onLog = (line: string) => logger.debug({ sink: 'timescaledb' }, line);
    const done = await migrate(address, { signal, onLog, ...(retentionMs !== undefined && { retentionMs }) });
    logger.info({ migrations: done }, `timescaledb: ${done.length} migrations run`);
    return;
  }
  const { open, newer } = await migrationStatus(address, { signal });
  if (open.length > 0) throw notMigrated(address, open);
  if (newer.length > 0) {
    logger.warn({ migrations: newer }, `timescaledb: a newer version has prepared the database (${newer.join(', ')})`);
  }
}

function notMigrated({ database, host, port }: DatabaseAddress, open: readonly string[]): MarketDataError {
  return new MarketDataError(
    'STORE_REFUSED',
    `database ${database} on ${host}:${port} is not migrated (${open.join(', ')} to go): run npm run aipx -- migrate up, ` +
      'or start a recorder with --migrate; this one goes on as soon as that is done',
  );
}
