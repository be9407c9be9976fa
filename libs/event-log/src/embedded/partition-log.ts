import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { MarketDataError, type Nanoseconds } from '@aipx/market-model';
import type { LogEntry, LogRecord, OffsetRange, ReadLimits, TopicPartition } from '../event-log.js';
import type { HeaderSets } from './header-sets.js';

/**
 * Rows come in pages that begin small and grow, so that a run of large records costs the memory of a few of them while
 * a run of small ones is read at full speed.
 */
const FIRST_PAGE = 4;
const PAGE_GROWTH = 4;
const LARGEST_PAGE = 1_024;
const NANOS_PER_MILLI = 1_000_000n;

type Row = readonly [offset: number, appendedAt: number, key: string, headerSetId: number, value: Uint8Array];

/** One partition: a table of records at offsets without holes, and the consumers that wait for its next record. */
export class PartitionLog {
  readonly id: TopicPartition;
  readonly #headerSets: HeaderSets;
  readonly #insert: StatementSync;
  readonly #select: StatementSync;
  readonly #begin: number;
  readonly #waiting = new Set<() => void>();
  #end: number;
  #staged = 0;

  constructor(database: DatabaseSync, id: TopicPartition, table: string, headerSets: HeaderSets) {
    this.id = id;
    this.#headerSets = headerSets;
    const bound = (of: string) => Number(database.prepare(`SELECT ${of} AS n FROM ${table}`).get()?.['n'] ?? 0);
    this.#begin = bound('min("offset")');
    this.#end = bound('max("offset") + 1');
    this.#insert = database.prepare(`INSERT INTO ${table} VALUES (?, ?, ?, ?, ?)`);
    this.#select = database.prepare(
      `SELECT "offset", appended_at, key, header_set_id, value FROM ${table} WHERE "offset" >= ? ORDER BY "offset" LIMIT ?`,
    );
    this.#select.setReturnArrays(true);
  }

  /** Makes the table if it is not there. Part of the transaction that makes the topic. */
  static create(database: DatabaseSync, table: string): void {
    database.exec(`CREATE TABLE ${table} (
      "offset" INTEGER PRIMARY KEY, appended_at INTEGER NOT NULL, key TEXT NOT NULL,
      header_set_id INTEGER NOT NULL, value BLOB NOT NULL) STRICT`);
  }

  get range(): OffsetRange {
    return { begin: BigInt(this.#begin), end: BigInt(this.#end) };
  }

  /** Writes an entry at the next offset, inside the caller's transaction, and says whether it is the first in it. */
  stage(entry: LogEntry, appendedAtMs: number): boolean {
    const headerSet = this.#headerSets.idOf(entry.headers);
    this.#insert.run(this.#end + this.#staged, appendedAtMs, entry.key, headerSet, entry.value);
    this.#staged += 1;
    return this.#staged === 1;
  }

  /** The transaction is committed: what was staged can be read, and who waits for it is woken. */
  publish(): void {
    this.#end += this.#staged;
    this.#staged = 0;
    for (const wake of this.#waiting) wake();
  }

  /** The transaction is undone. */
  unstage(): void {
    this.#staged = 0;
  }

  /** Resolves at the next record, or when `signal` aborts. */
  grown(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = () => {
        this.#waiting.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      this.#waiting.add(wake);
      signal.addEventListener('abort', wake);
    });
  }

  /** @throws {MarketDataError} `STORE_REFUSED` when `offset` is neither in the log nor its end */
  checkInRange(offset: bigint): void {
    if (offset >= this.#begin && offset <= this.#end) return;
    throw new MarketDataError(
      'STORE_REFUSED',
      `${this.#name} has offsets from ${this.#begin} to ${this.#end}, so there is nothing to read at ${offset}`,
      { context: { topic: this.id.topic, partition: this.id.partition }, retryable: offset < this.#begin },
    );
  }

  read(from: bigint, limits: ReadLimits): LogRecord[] {
    this.checkInRange(from);
    const available = Math.min(limits.maxRecords, this.#end - Number(from));
    const records: LogRecord[] = [];
    let bytes = 0;
    for (let page = FIRST_PAGE; records.length < available; page = nextPage(page, records.length, bytes, limits)) {
      const rows = this.#rows(Number(from) + records.length, Math.min(page, available - records.length));
      for (const row of rows) {
        bytes += row[2].length + row[4].byteLength;
        if (bytes > limits.maxBytes && records.length > 0) return records;
        records.push(this.#record(row));
      }
    }
    return records;
  }

  #rows(from: number, count: number): readonly Row[] {
    // Rows come as arrays, as the constructor asked; the types of node:sqlite know of objects only.
    const rows = this.#select.all(from, count) as unknown as readonly Row[];
    const intact = rows.length === count && rows.every((row, index) => row[0] === from + index);
    if (!intact)
      throw new MarketDataError('STORE_DAMAGED', `${this.#name} has lost records at or behind offset ${from}`);
    return rows;
  }

  #record([offset, appendedAt, key, headerSetId, value]: Row): LogRecord {
    return {
      topic: this.id.topic,
      partition: this.id.partition,
      offset: BigInt(offset),
      appendedAt: nanos(appendedAt),
      key,
      headers: this.#headerSets.read(headerSetId),
      value,
    };
  }

  get #name(): string {
    return `partition ${this.id.partition} of ${this.id.topic}`;
  }
}

function nanos(millis: number): Nanoseconds {
  return BigInt(millis) * NANOS_PER_MILLI;
}

/** As many rows as are likely to fit in what is left of the bytes, but never many more than proved small. */
function nextPage(page: number, records: number, bytes: number, limits: ReadLimits): number {
  const likelyToFit = Math.ceil(((limits.maxBytes - bytes) * records) / Math.max(bytes, 1)) + 1;
  return Math.max(1, Math.min(page * PAGE_GROWTH, LARGEST_PAGE, likelyToFit));
}
