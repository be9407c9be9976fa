import type { FileHandle } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { DatabaseSync } from 'node:sqlite';
import { MarketDataError } from '@aipx/market-model';
import { systemClock, type Clock } from '../clock.js';
import { makePrivateFile, ownUserId, usePrivateFile } from '../private-file.js';
import type { Entry, SharedStore } from './shared-store.js';

const BUSY_TRIES = 100;
const BUSY_WAIT_MS = 20;
const SQLITE_BUSY = 5;
const HEADER = Buffer.from('SQLite format 3\0');

/**
 * The store of one machine: an SQLite file of mode 600, whose lock is the kernel's and so ends with a process that dies,
 * or memory for one process alone. Its age is without end: a file outlives whoever holds something in it, and memory
 * nobody.
 */
export class FileStore implements SharedStore {
  readonly place: string;
  readonly isAway = false;
  readonly #database: DatabaseSync;
  readonly #clock: Pick<Clock, 'now'>;

  private constructor(place: string, database: DatabaseSync, clock: Pick<Clock, 'now'>) {
    this.place = place;
    this.#database = database;
    this.#clock = clock;
  }

  static inMemory(clock: Pick<Clock, 'now'> = systemClock): FileStore {
    const database = new DatabaseSync(':memory:');
    createTable(database);
    return new FileStore('memory', database, clock);
  }

  /**
   * Opens the file, made with mode 600 if it is missing.
   *
   * @param setting what named it, for messages
   * @throws {MarketDataError} `CONFIG_ACCOUNT` for a file that others may read, or that is not of this store;
   * `STORE_UNAVAILABLE` while others keep it busy
   */
  static async open(path: string, setting: string, clock: Pick<Clock, 'now'> = systemClock): Promise<FileStore> {
    await makePrivateFile(path, setting);
    const isOurs = await usePrivateFile(path, setting, async (file) => {
      await refuseOthers(path, setting, file);
      const { buffer, bytesRead } = await file.read(Buffer.alloc(HEADER.length), 0, HEADER.length, 0);
      return bytesRead === 0 || buffer.equals(HEADER);
    });
    if (!isOurs) {
      throw new MarketDataError('CONFIG_ACCOUNT', `${setting}: ${path} is no file that this wrote; name another one`, {
        context: { setting, path },
      });
    }
    const database = new DatabaseSync(path, { timeout: 0 });
    const store = new FileStore(path, database, clock);
    await store.#whenFree(() => createTable(database));
    return store;
  }

  read(name: string): Promise<string | undefined> {
    return this.#whenFree(() => this.#standing(name));
  }

  swap(name: string, expected: string | undefined, next: Entry | undefined): Promise<boolean> {
    return this.#whenFree(() => {
      this.#database.exec('BEGIN IMMEDIATE');
      try {
        const isSwapped = this.#swapInside(name, expected, next);
        this.#database.exec('COMMIT');
        return isSwapped;
      } catch (error) {
        this.#database.exec('ROLLBACK');
        throw error;
      }
    });
  }

  ageMs(): Promise<number> {
    return Promise.resolve(Number.POSITIVE_INFINITY);
  }

  onReturn(): () => void {
    return () => undefined;
  }

  close(): Promise<void> {
    if (this.#database.isOpen) this.#database.close();
    return Promise.resolve();
  }

  #swapInside(name: string, expected: string | undefined, next: Entry | undefined): boolean {
    const current = this.#standing(name);
    if (current !== expected && current !== next?.value) return false;
    if (next === undefined) {
      this.#database.prepare('DELETE FROM kept WHERE name = ?').run(name);
    } else {
      const ttlMs = Math.ceil(next.ttlMs);
      const until = Math.ceil(this.#clock.now() + ttlMs);
      this.#database.prepare('INSERT OR REPLACE INTO kept VALUES (?, ?, ?, ?)').run(name, next.value, until, ttlMs);
    }
    return true;
  }

  #standing(name: string): string | undefined {
    const row = this.#database.prepare('SELECT value, until, ttl FROM kept WHERE name = ?').get(name);
    if (row === undefined) return undefined;
    const now = this.#clock.now();
    const latest = now + Number(row['ttl']);
    // The clock was set back: nothing stands longer than it was given.
    if (Number(row['until']) > latest) {
      this.#database.prepare('UPDATE kept SET until = ? WHERE name = ?').run(Math.ceil(latest), name);
    }
    return Number(row['until']) > now ? String(row['value']) : undefined;
  }

  /** Another process has the file for milliseconds at most; waiting inside SQLite would stop the whole process. */
  async #whenFree<T>(step: () => T): Promise<T> {
    for (let tries = 1; ; tries += 1) {
      try {
        return step();
      } catch (cause) {
        if ((cause as { errcode?: number }).errcode === SQLITE_BUSY && tries < BUSY_TRIES) {
          await sleep(BUSY_WAIT_MS);
          continue;
        }
        throw new MarketDataError('STORE_UNAVAILABLE', `${this.place} cannot be used`, {
          context: { place: this.place },
          cause,
          retryable: true,
        });
      }
    }
  }
}

/** A file of mode 600 that another user made can be read by that user; root would open it. */
async function refuseOthers(path: string, setting: string, file: FileHandle): Promise<void> {
  const { uid } = await file.stat();
  const own = ownUserId();
  if (uid === own) return;
  throw new MarketDataError(
    'CONFIG_ACCOUNT',
    `${setting}: ${path} belongs to user ${uid} and must belong to user ${own}, who keeps tokens in it; name another file`,
    { context: { setting, path } },
  );
}

function createTable(database: DatabaseSync): void {
  database.exec(
    'CREATE TABLE IF NOT EXISTS kept (name TEXT PRIMARY KEY, value TEXT NOT NULL, until INTEGER NOT NULL, ttl INTEGER NOT NULL)',
  );
}
