import { MarketDataError } from '@aipx/market-model';
import type { Client } from 'pg';
import type { MigrationNames } from './migration-files.js';

export const MIGRATIONS_TABLE = 'schema_migration';

export interface DoneMigration {
  readonly name: string;
  /** When it was run, by the database's clock. */
  readonly at: Date;
}

/** What has been run in the database, in its order; nothing in a database that is still empty. */
export async function readDoneMigrations(client: Client): Promise<readonly DoneMigration[]> {
  const table = await client.query<{ found: string | null }>('SELECT to_regclass($1) AS found', [MIGRATIONS_TABLE]);
  if (table.rows[0]?.found === null) return [];
  // Kept as the session's local time; the sessions of the runner and of this query have the same zone.
  const { rows } = await client.query<DoneMigration>(
    `SELECT name, run_on::timestamptz AS at FROM ${MIGRATIONS_TABLE} ORDER BY id`,
  );
  return rows;
}

/** The migrations in the database that these files do not have, for a newer version made them. */
export function newerMigrations(done: readonly string[], names: MigrationNames): readonly string[] {
  const known = new Set([...names.common, ...names.plain, ...names.timescale]);
  return done.filter((name) => !known.has(name));
}

/** @throws {MarketDataError} `STORE_REFUSED` for a database that a newer version has prepared */
export function refuseNewer(where: string, done: readonly string[], names: MigrationNames): void {
  const newer = newerMigrations(done, names);
  if (newer.length === 0) return;
  throw new MarketDataError(
    'STORE_REFUSED',
    `database ${where} was prepared by a newer version, whose migrations this one does not have ` +
      `(${newer.join(', ')}): update this one`,
  );
}
