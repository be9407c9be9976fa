import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MarketDataError } from '@aipx/market-model';
import { runner } from 'node-pg-migrate';
import { Client } from 'pg';
import type { DatabaseAddress } from './database-address.js';

export interface MigrateOptions {
  readonly signal: AbortSignal;
  /** The folder with the SQL files. @default the workspace's `migrations` */
  readonly directory?: string;
  /** Called with what the runner says. */
  readonly onLog?: (line: string) => void;
}

/** As far from `src` as from `dist`. */
const MIGRATIONS = fileURLToPath(new URL('../../../migrations', import.meta.url));
/** What a plain PostgreSQL needs; TimescaleDB shares `common` and has its own in place of `plain`. */
const PLAIN_FOLDERS = ['common', 'plain'];

/**
 * Brings a database to the present schema. Runs that meet wait for each other; one with nothing to do does nothing.
 *
 * @returns the names of the migrations that were run
 * @throws {MarketDataError} `STORE_UNAVAILABLE` when the database cannot be reached, `STORE_REFUSED` when it refuses a
 * migration; then none of this call is kept
 */
export async function migrate(address: DatabaseAddress, options: MigrateOptions): Promise<readonly string[]> {
  const { signal, directory = MIGRATIONS, onLog = () => undefined } = options;
  signal.throwIfAborted();
  const client = new Client({ ...address, application_name: 'aipx-migrate', connectionTimeoutMillis: 10_000 });
  // A lost connection also fails the call that is under way, which reports it.
  client.on('error', () => undefined);
  const where = `${address.database} on ${address.host}:${address.port}`;
  await client.connect().catch((cause: unknown) => {
    const message = `database ${where} cannot be reached: ${String(cause)}`;
    throw new MarketDataError('STORE_UNAVAILABLE', message, { cause, retryable: true });
  });
  const leave = () => void client.end();
  signal.addEventListener('abort', leave, { once: true });
  try {
    const done = await runner({
      dbClient: client,
      dir: PLAIN_FOLDERS.map((folder) => join(literal(directory), folder, '*.sql')),
      useGlob: true,
      direction: 'up',
      migrationsTable: 'schema_migration',
      advisoryLockMode: 'wait',
      singleTransaction: true,
      logger: { debug: onLog, info: onLog, warn: onLog, error: onLog },
    });
    return done.map(({ name }) => name);
  } catch (cause) {
    signal.throwIfAborted();
    throw new MarketDataError('STORE_REFUSED', `database ${where} refuses a migration: ${String(cause)}`, { cause });
  } finally {
    signal.removeEventListener('abort', leave);
    await client.end();
  }
}

/** The path as a pattern that matches only itself: a clone may lie in a folder named `[old]`. */
function literal(path: string): string {
  return path.replaceAll(/[?*()[\]{}!+@]/g, '[$&]');
}
