import type { PartitionHandler, TopicPartition } from '@aipx/event-log';

/**
 * One sink's side of the log: takes the records of the partitions it is given, stores them in its own batches, and
 * alone knows where it stands. `HotRecorder` and `ColdRecorder` implement it; `RecordingPipeline` runs them.
 */
export interface Recorder extends PartitionHandler {
  readonly name: 'hot' | 'cold';
  /**
   * Aborts when a batch fails for good outside of a call (a timer's, for instance); its reason is the error. A
   * recorder has a new one once everything is revoked.
   */
  readonly failure?: AbortSignal;
  /** Stores everything handed over so far. Resolves when it is durable; waits outages out until `signal` aborts. */
  flush(signal: AbortSignal): Promise<void>;
  /** The first offset not yet durable in the sink; `undefined` before the partition was assigned. */
  storedTo(partition: TopicPartition): bigint | undefined;
}
