import type { CommittedOffset, LogRecord, OffsetRange, PartitionHandler, TopicPartition } from '@aipx/event-log';
import type { MarketDataError, Nanoseconds } from '@aipx/market-model';

/**
 * One sink's side of the log: takes the records of the partitions it is given, stores them in its own batches, and
 * alone knows where it stands. `HotRecorder` and `ColdRecorder` implement it; `RecordingPipeline` runs them.
 */
export interface Recorder extends PartitionHandler {
  readonly name: 'hot' | 'cold';
  /** For health checks and metrics, which may ask as often as they like. */
  readonly status: RecorderStatus;
  /**
   * Aborts when a batch fails for good outside of a call (a timer's, for instance); its reason is the error. A
   * recorder has a new one once everything is revoked.
   */
  readonly failure?: AbortSignal;
  /**
   * @param committed what the consumer group has stored: a hint at most, never where reading begins by itself
   * @param signal ends the waits of this call, as the recorder's own does for all. Nothing is assigned then
   */
  onAssigned(
    partition: TopicPartition,
    range: OffsetRange,
    committed?: CommittedOffset,
    signal?: AbortSignal,
  ): Promise<bigint>;
  /** @param signal likewise. Whoever aborts it has the partition revoked: what was taken by then is forgotten there */
  onRecords(partition: TopicPartition, records: readonly LogRecord[], signal?: AbortSignal): Promise<void>;
  /** What to commit to the consumer group now; `undefined` for nothing. */
  position?(partition: TopicPartition): CommittedOffset | undefined;
  /** Stores everything handed over so far. Resolves when it is durable; waits outages out until `signal` aborts. */
  flush(signal: AbortSignal): Promise<void>;
  /** The first offset not yet durable in the sink; `undefined` before the partition was assigned. */
  storedTo(partition: TopicPartition): bigint | undefined;
}

/** How a recorder is doing at this moment. */
export interface RecorderStatus {
  /** Records handed over and not yet durable. */
  readonly bufferedRecords: number;
  /** The memory that they take, bytes, as far as it can be told without looking into them. */
  readonly bufferedBytes: number;
  /** When the log took the oldest of them (`appendedAt`); `undefined` when there is none. */
  readonly waitingSince: Nanoseconds | undefined;
  /** When the log took the newest record that was stored so far (`appendedAt`); `undefined` before the first. */
  readonly newestStored: Nanoseconds | undefined;
  /** The outage that is being waited out now. */
  readonly fault: RecorderFault | undefined;
  /** How often reading had to wait for room so far. */
  readonly pauses: number;
}

/** An outage of the store or of the log. Over when a try succeeds. */
export interface RecorderFault {
  /** When the first try of it failed, in ms since the Unix epoch. */
  readonly since: number;
  /** Of the last try. */
  readonly error: MarketDataError;
  /** Tries that failed in a row. */
  readonly failures: number;
}
