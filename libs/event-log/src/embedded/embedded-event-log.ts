import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { MarketDataError } from '@aipx/market-model';
import type {
  AppendOptions,
  ConsumeOptions,
  EventLog,
  LogEntry,
  LogRecord,
  OffsetRange,
  PartitionHandler,
  ReadLimits,
  SourceProgress,
  TopicPartition,
  ReadOptions,
  WaitOptions,
} from '../event-log.js';
import { Partitioner } from '../partitioner.js';
import { checkConsumeOptions, checkLimits } from '../read-limits.js';
import { feedPartitions } from './feed.js';
import { HeaderSets } from './header-sets.js';
import { openLogFile } from './log-file.js';
import type { PartitionLog } from './partition-log.js';
import { ReadTurns } from '../read-turns.js';
import { Slots } from '../slots.js';
import { storeError } from './store-error.js';
import { openTopics } from './topics.js';

/**
 * Most that one `append` takes: all of it is one transaction, and the event loop stands still meanwhile (some 2 µs an
 * entry). Room for whatever one frame can become; whoever appends many frames at once stays far below.
 */
export const MAX_APPEND_ENTRIES = 250_000;
export const MAX_APPEND_BYTES = 64 * 1024 * 1024;

export interface EmbeddedEventLogOptions {
  /** The log's one file; beside it lies `<path>-wal` while it is open. Made with its folder if absent. */
  readonly path: string;
  /** Partitions by topic. Topics are made if absent; a topic that exists must have as many partitions. */
  readonly topics: Readonly<Record<string, number>>;
  readonly signal?: AbortSignal;
  /** Largest size of the file, bytes; an append beyond it fails as on a full disk. @default the disk's */
  readonly maxBytes?: number;
  /** Milliseconds since 1970. @default Date.now */
  readonly now?: () => number;
}

/** The log in one file of this process, on the database inside Node.js. Nothing is ever removed from it. */
export class EmbeddedEventLog implements EventLog {
  readonly id: string;
  readonly keepsProgress = true;
  readonly #path: string;
  readonly #now: () => number;
  readonly #database: DatabaseSync;
  readonly #headerSets: HeaderSets;
  readonly #topics: ReadonlyMap<string, readonly PartitionLog[]>;
  readonly #partitioner = new Partitioner();
  readonly #turns = new ReadTurns();
  readonly #consumers = new Map<string, Promise<void>>();
  readonly #closing = new AbortController();
  readonly #begin: StatementSync;
  readonly #commit: StatementSync;
  readonly #moveProgress: StatementSync;
  readonly #progress: StatementSync;
  #closed: Promise<void> | undefined;

  private constructor(options: EmbeddedEventLogOptions, database: DatabaseSync, logId: string) {
    this.id = logId;
    this.#path = options.path;
    this.#now = options.now ?? Date.now;
    this.#database = database;
    this.#headerSets = new HeaderSets(database);
    this.#topics = openTopics(database, options.topics, this.#headerSets);
    this.#begin = database.prepare('BEGIN IMMEDIATE');
    this.#commit = database.prepare('COMMIT');
    this.#moveProgress = database.prepare(
      `INSERT INTO source_progress VALUES (?, ?)
       ON CONFLICT (source) DO UPDATE SET frames = excluded.frames WHERE excluded.frames >= frames`,
    );
    this.#progress = database.prepare('SELECT frames FROM source_progress WHERE source = ?');
  }

  /**
   * Opens the log, making it if absent, and keeps every other process out until it is closed or this process ends.
   *
   * @throws {MarketDataError} `CONFIG_DATA_DIR_IN_USE`, `CONFIG_INVALID` for topics that cannot be, `STORE_REFUSED` for
   * a file that cannot be written or has another format, `STORE_DAMAGED`, `STORE_UNAVAILABLE` for a full disk
   */
  static async open(options: EmbeddedEventLogOptions): Promise<EmbeddedEventLog> {
    options.signal?.throwIfAborted();
    const { database, logId } = openLogFile(options);
    try {
      return new EmbeddedEventLog(options, database, logId);
    } catch (cause) {
      database.close();
      throw storeError(cause, options.path);
    }
  }

  get topics(): readonly string[] {
    return [...this.#topics.keys()];
  }

  async partitionsOf(topic: string): Promise<readonly TopicPartition[]> {
    return this.#partitions(topic).map((partition) => partition.id);
  }

  partitionFor(topic: string, key: string): TopicPartition {
    return this.#partitionFor(topic, key).id;
  }

  async range(partition: TopicPartition, { signal }: WaitOptions = {}): Promise<OffsetRange> {
    signal?.throwIfAborted();
    return this.#partition(partition).range;
  }

  /**
   * @throws {MarketDataError} `PUBLISH_FAILED` for a topic that this log does not have, `PUBLISH_TOO_LARGE` beyond
   * `MAX_APPEND_ENTRIES` or `MAX_APPEND_BYTES`, `STORE_POSITION_MOVED` for progress behind what is stored,
   * `STORE_UNAVAILABLE` (retryable) for a full disk
   */
  async append(entries: readonly LogEntry[], { progress }: AppendOptions = {}): Promise<void> {
    this.#checkOpen();
    checkSize(entries);
    if (entries.length === 0 && progress === undefined) return;
    const appendedAt = this.#now();
    const touched: PartitionLog[] = [];
    try {
      this.#rollBack(); // what an append could not undo
      this.#begin.run();
      for (const entry of entries) {
        const partition = this.#partitionFor(entry.topic, entry.key);
        if (partition.stage(entry, appendedAt)) touched.push(partition);
      }
      if (progress !== undefined) this.#move(progress);
      this.#commit.run();
    } catch (cause) {
      this.#undo(touched);
      throw storeError(cause, this.#path);
    }
    for (const partition of touched) partition.publish();
  }

  async progressOf(source: string): Promise<number> {
    return this.#reading(() => Number(this.#progress.get(source)?.['frames'] ?? 0));
  }

  /**
   * @throws {MarketDataError} `STORE_REFUSED` when `from` is outside the partition's range, `STORE_DAMAGED`, also when the
   * log is shorter than it is known to be
   */
  async read(
    partition: TopicPartition,
    from: bigint,
    limits: ReadLimits,
    { signal, until = 0n }: ReadOptions = {},
  ): Promise<readonly LogRecord[]> {
    signal?.throwIfAborted();
    checkLimits(limits);
    const records = this.#reading(() => this.#partition(partition).read(from, limits));
    if (records.length === 0 && from < until) throw shorterThanKnown(partition, from, until);
    return records;
  }

  /**
   * No offsets are kept for a group: nobody but the sinks could look at them.
   *
   * @throws {MarketDataError} `STORE_REFUSED` when the group already consumes, when a partition is to begin outside of
   * its range, or when the log is closed meanwhile; and whatever the handler throws
   */
  async consume(options: ConsumeOptions, handler: PartitionHandler, signal: AbortSignal): Promise<void> {
    this.#checkOpen();
    checkConsumeOptions(options);
    const partitions = [...new Set(options.topics)].flatMap((topic) => this.#partitions(topic));
    if (this.#consumers.has(options.group)) throw refused(`group ${options.group} already consumes this log`);
    const stop = AbortSignal.any([signal, this.#closing.signal]);
    const read = (partition: PartitionLog, from: bigint) => this.#reading(() => partition.read(from, options.limits));
    const slots = new Slots(options.concurrency ?? Infinity);
    const feeding = feedPartitions({ partitions, read, turns: this.#turns, slots }, handler, stop);
    this.#consumers.set(options.group, feeding);
    try {
      await feeding;
    } finally {
      this.#consumers.delete(options.group);
    }
    if (!signal.aborted) throw refused(`the log was closed while group ${options.group} consumed it`);
  }

  /** Ends what consumes, waits for their handlers, and lets the file go. To be called from outside of a handler. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#closing.abort();
    await Promise.allSettled(this.#consumers.values());
    try {
      this.#database.close();
    } catch (cause) {
      throw storeError(cause, this.#path);
    }
  }

  #move({ source, frames }: SourceProgress): void {
    if (!Number.isSafeInteger(frames) || frames < 0) {
      throw new MarketDataError('CONFIG_INVALID', `progress of ${source} is ${frames}; expected a count of frames`);
    }
    if (this.#moveProgress.run(source, frames).changes === 0) {
      throw new MarketDataError(
        'STORE_POSITION_MOVED',
        `${source} is done beyond frame ${frames} already; does another replay of it run?`,
      );
    }
  }

  #undo(touched: readonly PartitionLog[]): void {
    this.#headerSets.forget();
    for (const partition of touched) partition.unstage();
    try {
      this.#rollBack();
    } catch {
      // The failure that led here is the one to report; the next append begins with undoing this one.
    }
  }

  /** Some failures, a full disk among them, undo the transaction by themselves. */
  #rollBack(): void {
    if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
  }

  #partitionFor(topic: string, key: string): PartitionLog {
    const partitions = this.#topics.get(topic);
    const partition = partitions?.[this.#partitioner.partitionOf(key, partitions.length)];
    if (partition !== undefined) return partition;
    throw new MarketDataError('PUBLISH_FAILED', this.#unknownTopic(topic), { context: { topic } });
  }

  #partitions(topic: string): readonly PartitionLog[] {
    const partitions = this.#topics.get(topic);
    if (partitions === undefined) throw refused(this.#unknownTopic(topic));
    return partitions;
  }

  #partition({ topic, partition }: TopicPartition): PartitionLog {
    const partitions = this.#partitions(topic);
    const found = partitions[partition];
    if (found === undefined) throw refused(`${topic} has ${partitions.length} partitions, so none is ${partition}`);
    return found;
  }

  #unknownTopic(topic: string): string {
    return `this log has no topic ${topic}; it has ${this.topics.join(', ')}`;
  }

  #reading<Result>(read: () => Result): Result {
    this.#checkOpen();
    try {
      return read();
    } catch (cause) {
      throw storeError(cause, this.#path);
    }
  }

  #checkOpen(): void {
    if (this.#closing.signal.aborted) throw refused(`the log ${this.#path} is closed`);
  }
}

function checkSize(entries: readonly LogEntry[]): void {
  let bytes = 0;
  for (const { key, value } of entries) bytes += key.length + value.byteLength;
  if (entries.length <= MAX_APPEND_ENTRIES && bytes <= MAX_APPEND_BYTES) return;
  throw new MarketDataError(
    'PUBLISH_TOO_LARGE',
    `an append of ${entries.length} entries and ${bytes} bytes; at most ${MAX_APPEND_ENTRIES} and ${MAX_APPEND_BYTES}`,
  );
}

/** Nothing makes this log shorter but the loss of its file's end. */
function shorterThanKnown({ topic, partition }: TopicPartition, from: bigint, until: bigint): MarketDataError {
  return new MarketDataError(
    'STORE_DAMAGED',
    `partition ${partition} of ${topic} ends at ${from}, but it is known to reach to ${until}: the end of the log is lost`,
    { context: { topic, partition } },
  );
}

function refused(message: string): MarketDataError {
  return new MarketDataError('STORE_REFUSED', message);
}
