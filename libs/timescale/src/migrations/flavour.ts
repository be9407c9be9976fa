import { MarketDataError } from '@aipx/market-model';
import type { Client } from 'pg';
import { isAway } from '../database-error.js';
import type { MigrationNames } from './migration-files.js';

/** What kind of database it is: the same relations, made of hypertables and continuous aggregates or of tables and views. */
export type Flavour = 'plain' | 'timescale';

/** What the server says of TimescaleDB in this database: its version there, or that it could be created. */
export interface TimescaleExtension {
  readonly version: string | undefined;
  readonly isAvailable: boolean;
}

export async function readExtension(client: Client): Promise<TimescaleExtension> {
  const { rows } = await client.query<{ installed: string | null; available: boolean }>(`
    SELECT (SELECT extversion FROM pg_extension WHERE extname = 'timescaledb') AS installed,
      EXISTS (SELECT FROM pg_available_extensions WHERE name = 'timescaledb') AS available`);
  const [row] = rows;
  return { version: row?.installed ?? undefined, isAvailable: row?.available ?? false };
}

/** The flavour that the migrations done so far have made; `undefined` before the first that differs. */
export function flavourMade(done: readonly string[], names: MigrationNames): Flavour | undefined {
  if (done.some((name) => names.plain.includes(name))) return 'plain';
  return done.some((name) => names.timescale.includes(name)) ? 'timescale' : undefined;
}

/**
 * The flavour to bring the database to: what it is already, else what was asked for, else what the server can.
 *
 * @throws {MarketDataError} `STORE_REFUSED` when what it is, what was asked for and what the server has do not agree
 */
export function chooseFlavour(
  where: string,
  made: Flavour | undefined,
  asked: Flavour | undefined,
  extension: TimescaleExtension,
): Flavour {
  const hasTimescale = extension.version !== undefined;
  if (made === 'timescale' && !hasTimescale) {
    throw refused(`${where} was prepared for TimescaleDB, and the extension is not in it any more: restore it`);
  }
  if (made !== undefined && asked !== undefined && made !== asked) {
    throw refused(
      `${where} was prepared as ${TITLES[made]} and is asked to be ${TITLES[asked]}: a database cannot change; ` +
        'give the new one another name and record into it from the log, or from the archive',
    );
  }
  if (made === 'plain' && asked === undefined && hasTimescale) {
    throw refused(
      `${where} was prepared as plain PostgreSQL before it had TimescaleDB: ask for plain to keep it as it is, or ` +
        'record into another database, which will be prepared for TimescaleDB',
    );
  }
  if (asked === 'timescale' && !hasTimescale && !extension.isAvailable) {
    throw refused(`${where} is asked to be TimescaleDB, and its server has no such extension: install it there`);
  }
  return made ?? asked ?? (hasTimescale || extension.isAvailable ? 'timescale' : 'plain');
}

/**
 * Creates the extension in the database unless it is there.
 *
 * @throws {MarketDataError} `STORE_REFUSED` when the server has it and cannot or may not create it
 */
export async function createExtension(client: Client, where: string): Promise<void> {
  await client.query('CREATE EXTENSION IF NOT EXISTS timescaledb').catch((cause: unknown) => {
    if (isAway(cause)) throw cause;
    throw new MarketDataError(
      'STORE_REFUSED',
      `the server of ${where} has TimescaleDB, but it cannot be created there: ${String(cause)}; preload it ` +
        '(shared_preload_libraries) and create it as a user who may, or ask for plain PostgreSQL',
      { cause },
    );
  });
}

const TITLES: Readonly<Record<Flavour, string>> = { plain: 'plain PostgreSQL', timescale: 'TimescaleDB' };

function refused(what: string): MarketDataError {
  return new MarketDataError('STORE_REFUSED', `database ${what}`);
}
