import type { Nanoseconds } from '@aipx/market-model';

/** A record to append. The partition follows from the key, as Kafka's default partitioner chooses it. */
export interface LogEntry {
  readonly topic: string;
  readonly key: string;
  readonly value: Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
}

/** A record as the log holds it. */
export interface LogRecord extends LogEntry {
  readonly partition: number;
  readonly offset: bigint;
  /** When the log took it. Milliseconds are what logs keep; the rest is 0. */
  readonly appendedAt: Nanoseconds;
}

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** Half open: `begin` is the first offset that can still be read, `end` the one the next record will get. */
export interface OffsetRange {
  readonly begin: bigint;
  readonly end: bigint;
}

/** How far a replayed input has been published, moved in the same transaction as the entries. */
export interface SourceProgress {
  /** Content hash, venue and sorted codes: the same source is the same text. */
  readonly source: string;
  /** Frames of the source that are done with, those that yield nothing included. */
  readonly frames: number;
}

export interface AppendOptions {
  /** Refused with `CONFIG_INVALID` by a log that keeps none. */
  readonly progress?: SourceProgress;
  /** Ends the wait, not what was sent: the append then rejects with `retryable: true`, its outcome unknown. */
  readonly signal?: AbortSignal;
}

export interface WaitOptions {
  /** Ends the wait: the call then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

export interface ReadOptions extends WaitOptions {
  /**
   * How far the log is known to reach: when it shows less, which a new leader of Kafka may for a moment, that is an outage
   * and not its end. No records then mean that none is left before this offset.
   */
  readonly until?: bigint;
}

export interface ReadLimits {
  readonly maxRecords: number;
  /** Of keys and values. */
  readonly maxBytes: number;
}

/** The log as the pipelines see it: topics, partitions, offsets. Every wait takes an `AbortSignal`. */
export interface EventLog {
  /** The log's identity. A position is only worth something together with it. */
  readonly id: string;
  readonly topics: readonly string[];
  /** Whether `append` takes progress. It does where an append is one transaction: in the embedded log. */
  readonly keepsProgress: boolean;
  /** Ascending. */
  partitionsOf(topic: string): Promise<readonly TopicPartition[]>;
  /**
   * Where records of this key go.
   *
   * @throws {MarketDataError} `PUBLISH_FAILED` for a topic that this log does not have
   */
  partitionFor(topic: string, key: string): TopicPartition;
  range(partition: TopicPartition, options?: WaitOptions): Promise<OffsetRange>;
  /**
   * Appends all entries in order. Resolves when they will survive a crash of this process. Entries that cannot be
   * addressed, such as those of an unknown topic, are refused before anything is written.
   *
   * All or none: of each partition on every log, of the whole call on the embedded one.
   *
   * A rejection with `retryable: true` leaves the outcome unknown or undone. Whoever gets it appends the same entries
   * again, the same objects in the same order, before anything else of their partitions: the log then knows what had
   * arrived and doubles nothing. After any other rejection the entries are not in the log, but for those
   * of the partitions that the error's context names in `storedPartitions` (`topic/partition`, parted by commas).
   */
  append(entries: readonly LogEntry[], options?: AppendOptions): Promise<void>;
  /**
   * Frames done of a source, 0 for one never seen.
   *
   * @throws {MarketDataError} `CONFIG_INVALID` on a log that keeps no progress
   */
  progressOf(source: string): Promise<number>;
  /**
   * Records from `from` on, in offset order, none left out, at least one if there is any, else none. Does not wait. An offset
   * between two that does not come holds no record: on Kafka, what belongs to transactions and was aborted, or is a marker.
   *
   * @throws {MarketDataError} `STORE_REFUSED` when `from` is outside of the range: never another offset instead.
   * Retryable before its begin, since retention may have moved that: whoever asks for the range again can go on.
   * When the log stays shorter than `until`: `STORE_UNAVAILABLE` (retryable) where it may come back, else `STORE_DAMAGED`
   */
  read(
    partition: TopicPartition,
    from: bigint,
    limits: ReadLimits,
    options?: ReadOptions,
  ): Promise<readonly LogRecord[]>;
  /**
   * Hands the partitions of `topics` to the handler and feeds it until `signal` aborts, then revokes them and resolves.
   * One call of the handler at a time per partition; partitions side by side. Rejects with what the handler throws, but
   * for the reason of the signal that it was given.
   */
  consume(options: ConsumeOptions, handler: PartitionHandler, signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

export interface ConsumeOptions {
  readonly group: string;
  readonly topics: readonly string[];
  readonly limits: ReadLimits;
  /** Partitions whose handler runs at the same time. @default all */
  readonly concurrency?: number;
}

/**
 * What a group keeps of a partition: a courtesy for tools that show lag, and a hint for whoever reads on. Never an
 * authority: anybody may move or delete it at any time.
 */
export interface CommittedOffset {
  readonly offset: bigint;
  /** Free text, at most 4,096 bytes by Kafka's default. */
  readonly metadata: string;
}

/**
 * Takes the records. The signal of a call aborts when the partition is to be handed back, and when consuming ends: others
 * wait for it then, so whatever the call waits for must end at once. It may reject with the signal's reason. What it had
 * not stored is read again, by whoever gets the partition.
 */
export interface PartitionHandler {
  /**
   * A partition is this consumer's now. Returns the offset to begin at: never the log's choice. `committed` is what the
   * group keeps, where the log keeps it and it could be learned in time. One that rejects is not revoked.
   */
  onAssigned(
    partition: TopicPartition,
    range: OffsetRange,
    committed: CommittedOffset | undefined,
    signal: AbortSignal,
  ): Promise<bigint>;
  /** The next records of one partition, as `read` gives them. No further ones of it come before this resolves. */
  onRecords(partition: TopicPartition, records: readonly LogRecord[], signal: AbortSignal): Promise<void>;
  /** The partition is no longer this consumer's; what is buffered of it must not be written any more. */
  onRevoked(partition: TopicPartition): Promise<void>;
  /**
   * Where the sink stands. Asked every few seconds and before the partition is handed back; what changed is committed for
   * the group.
   */
  position?(partition: TopicPartition): CommittedOffset | undefined;
}
