import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { MarketDataError } from '@aipx/market-model';
import { storeError } from './store-error.js';

/** `AIPX`: tells our files from anybody else's SQLite file. */
const APPLICATION_ID = 0x41495058;
const FORMAT_VERSION = 1;
/**
 * How long, ms, to wait for the file's lock. A process that holds it never lets go, so this is no queue: it only lets
 * one of two that create the file in the same instant win.
 */
const LOCK_WAIT_MS = 100;
/** A write-ahead file left large by one burst is cut back to this, bytes. */
const WAL_KEPT_BYTES = 64 * 1024 * 1024;
const PAGE_BYTES = 4096;

/** Records stand in one table a partition: appends then always go to a table's end, which packs pages full. */
const SCHEMA = `
  CREATE TABLE log (id TEXT NOT NULL) STRICT;
  CREATE TABLE topic (topic_id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, partitions INTEGER NOT NULL) STRICT;
  CREATE TABLE header_set (header_set_id INTEGER PRIMARY KEY, headers TEXT NOT NULL UNIQUE) STRICT;
  CREATE TABLE source_progress (source TEXT PRIMARY KEY, frames INTEGER NOT NULL) STRICT, WITHOUT ROWID;
`;

export interface LogFile {
  readonly database: DatabaseSync;
  /** Made when the file was. */
  readonly logId: string;
}

export interface LogFileOptions {
  readonly path: string;
  /** Largest size of the file, bytes. */
  readonly maxBytes?: number;
}

/**
 * Opens the file, creating it and its folder if absent, and holds it until it is closed or the process ends: the lock is
 * the operating system's, so SIGKILL frees it too.
 *
 * @throws {MarketDataError} `CONFIG_DATA_DIR_IN_USE` when another process holds it, `STORE_REFUSED` when it cannot be
 * written or is of another format, `STORE_DAMAGED`, `STORE_UNAVAILABLE` when the disk is full or failing
 */
export function openLogFile({ path, maxBytes }: LogFileOptions): LogFile {
  let database: DatabaseSync | undefined;
  try {
    mkdirSync(dirname(path), { recursive: true });
    // Nothing else here may open the file: POSIX frees a process's locks on a file when it closes any descriptor of it.
    database = new DatabaseSync(path, { timeout: LOCK_WAIT_MS });
    database.exec('PRAGMA locking_mode = EXCLUSIVE');
    if (isNew(database)) create(database);
    else checkFormat(database, path);
    configure(database, maxBytes);
    return { database, logId: readLogId(database, path) };
  } catch (cause) {
    if (database?.isOpen === true) database.close();
    throw storeError(cause, path);
  }
}

/** Also true for a file whose creation was cut short before its one transaction. */
function isNew(database: DatabaseSync): boolean {
  return pragma(database, 'application_id') === 0 && count(database, 'sqlite_schema') === 0;
}

function create(database: DatabaseSync): void {
  database.exec('PRAGMA journal_mode = WAL');
  database.exec('BEGIN IMMEDIATE');
  database.exec(SCHEMA);
  database.prepare('INSERT INTO log VALUES (?)').run(randomUUID());
  database.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${FORMAT_VERSION}`);
  database.exec('COMMIT');
}

function checkFormat(database: DatabaseSync, path: string): void {
  if (pragma(database, 'application_id') !== APPLICATION_ID) {
    throw refused(path, `${path} is no event log; choose another data folder, or move the file away`);
  }
  const version = pragma(database, 'user_version');
  if (version !== FORMAT_VERSION) {
    throw refused(path, `${path} has format ${version}; this version reads format ${FORMAT_VERSION} only`);
  }
}

/**
 * What the file does not remember by itself. Write-ahead with synchronous NORMAL: a commit is handed to the operating
 * system, so it survives the process, and the disk is waited for at checkpoints only: to wait at each commit would hold
 * the event loop. The README says what that means after a power loss.
 */
function configure(database: DatabaseSync, maxBytes: number | undefined): void {
  database.exec('PRAGMA journal_mode = WAL');
  database.exec(`PRAGMA synchronous = NORMAL; PRAGMA journal_size_limit = ${WAL_KEPT_BYTES}`);
  if (maxBytes !== undefined)
    database.exec(`PRAGMA max_page_count = ${Math.max(1, Math.floor(maxBytes / PAGE_BYTES))}`);
}

function readLogId(database: DatabaseSync, path: string): string {
  const id = database.prepare('SELECT id FROM log').get()?.['id'];
  if (typeof id === 'string') return id;
  throw new MarketDataError('STORE_DAMAGED', `${path} is damaged: it has no log id`, { context: { path } });
}

function pragma(database: DatabaseSync, name: string): number {
  return Number(database.prepare(`PRAGMA ${name}`).get()?.[name]);
}

function count(database: DatabaseSync, table: string): number {
  return Number(database.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.['n']);
}

function refused(path: string, message: string): MarketDataError {
  return new MarketDataError('STORE_REFUSED', message, { context: { path } });
}
