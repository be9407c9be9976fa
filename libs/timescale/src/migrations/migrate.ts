import { PG_MIGRATE_LOCK_ID, runner } from 'node-pg-migrate';
import type { Client } from 'pg';
import type { DatabaseAddress } from '../database-address.js';
import { MIGRATIONS_TABLE, readDoneMigrations, refuseNewer } from './done-migrations.js';
import { chooseFlavour, createExtension, flavourMade, readExtension, type Flavour } from './flavour.js';
import { databasePlace, useMigrationClient } from './migration-client.js';
import { filePatterns, MIGRATIONS, readMigrationNames } from './migration-files.js';
import { applyRetention, checkRetention, refuseRetention } from './retention.js';

export interface MigrateOptions {
  readonly signal: AbortSignal;
  /** The folder with the SQL files. @default the workspace's `migrations` */
  readonly directory?: string;
  /** What the database is to be. @default what it is already, else TimescaleDB where the server has it */
  readonly flavour?: Flavour;
  /** How long ticks and books are kept, in ms; 0 is for ever. @default as it is set in the database */
  readonly retentionMs?: number;
  /** Called with what the runner says, and with what the retention has changed. */
  readonly onLog?: (line: string) => void;
}

/**
 * Brings a database to the present schema and its policies to the retention. Runs that meet wait for each other; one
 * with nothing to do does nothing.
 *
 * @returns the names of the migrations that were run
 * @throws {MarketDataError} `STORE_UNAVAILABLE` when the database cannot be reached; `STORE_REFUSED` when it refuses a
 * migration, is of another flavour or was prepared by a newer version; `CONFIG_INVALID` for a retention that cannot be.
 * Then none of this call's migrations is kept; the extension, once created, is
 */
export async function migrate(address: DatabaseAddress, options: MigrateOptions): Promise<readonly string[]> {
  const { signal, retentionMs } = options;
  checkRetention(retentionMs);
  return useMigrationClient(address, signal, async (client) => {
    await client.query('SELECT pg_advisory_lock($1)', [PG_MIGRATE_LOCK_ID]);
    try {
      return await migrateLocked(client, databasePlace(address), options);
    } finally {
      // A connection that is gone has let go of the lock already.
      await client.query('SELECT pg_advisory_unlock($1)', [PG_MIGRATE_LOCK_ID]).catch(() => undefined);
    }
  });
}

async function migrateLocked(client: Client, where: string, options: MigrateOptions): Promise<readonly string[]> {
  const { directory = MIGRATIONS, onLog = () => undefined, retentionMs } = options;
  const names = await readMigrationNames(directory);
  const done = (await readDoneMigrations(client)).map(({ name }) => name);
  refuseNewer(where, done, names);
  const flavour = chooseFlavour(where, flavourMade(done, names), options.flavour, await readExtension(client));
  if (flavour === 'plain') refuseRetention(where, retentionMs);
  else await createExtension(client, where);
  const run = await runner({
    dbClient: client,
    dir: filePatterns(flavour, directory),
    useGlob: true,
    direction: 'up',
    migrationsTable: MIGRATIONS_TABLE,
    noLock: true,
    singleTransaction: true,
    logger: { debug: onLog, info: onLog, warn: onLog, error: onLog },
  });
  if (flavour === 'timescale' && retentionMs !== undefined) {
    for (const change of await applyRetention(client, retentionMs)) onLog(change);
  }
  return run.map(({ name }) => name);
}
