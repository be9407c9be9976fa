import type { DatabaseAddress } from '../database-address.js';
import { newerMigrations, readDoneMigrations, type DoneMigration } from './done-migrations.js';
import { chooseFlavour, flavourMade, readExtension, type Flavour } from './flavour.js';
import { databasePlace, useMigrationClient } from './migration-client.js';
import { MIGRATIONS, migrationsOf, readMigrationNames } from './migration-files.js';
import { readPolicies, type Policy } from './policies.js';

export interface MigrationStatusOptions {
  readonly signal: AbortSignal;
  /** The folder with the SQL files. @default the workspace's `migrations` */
  readonly directory?: string;
  /** What the database is to be, as for `migrate`. */
  readonly flavour?: Flavour;
}

export interface MigrationStatus {
  /** What the database is, or would become. */
  readonly flavour: Flavour;
  /** Version of the extension in the database. */
  readonly timescaleVersion: string | undefined;
  readonly done: readonly DoneMigration[];
  /** What `migrate` would run, in its order. */
  readonly open: readonly string[];
  /** Done, but unknown to this version: a newer one was here, and `migrate` refuses. */
  readonly newer: readonly string[];
  readonly policies: readonly Policy[];
}

/**
 * What has been done in a database and what is open. Changes nothing and waits for nobody.
 *
 * @throws {MarketDataError} `STORE_UNAVAILABLE` when the database cannot be reached, `STORE_REFUSED` when it is not, or
 * cannot become, of the flavour
 */
export async function migrationStatus(
  address: DatabaseAddress,
  options: MigrationStatusOptions,
): Promise<MigrationStatus> {
  const { signal, directory = MIGRATIONS } = options;
  return useMigrationClient(address, signal, async (client) => {
    const names = await readMigrationNames(directory);
    const done = await readDoneMigrations(client);
    const doneNames = done.map(({ name }) => name);
    const extension = await readExtension(client);
    const made = flavourMade(doneNames, names);
    const flavour = chooseFlavour(databasePlace(address), made, options.flavour, extension);
    return {
      flavour,
      timescaleVersion: extension.version,
      done,
      open: migrationsOf(flavour, names).filter((name) => !doneNames.includes(name)),
      newer: newerMigrations(doneNames, names),
      policies: made === 'timescale' ? await readPolicies(client) : [],
    };
  });
}
