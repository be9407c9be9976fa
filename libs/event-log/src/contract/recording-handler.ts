import type { CommittedOffset, LogRecord, OffsetRange, PartitionHandler, TopicPartition } from '../event-log.js';

/** A handler that remembers what was done with it, in order, and lets a test wait for it. */
export class RecordingHandler implements PartitionHandler {
  readonly calls: string[] = [];
  readonly records: LogRecord[] = [];
  readonly assigned: TopicPartition[] = [];
  readonly revoked: TopicPartition[] = [];
  /** Where a partition is to begin. */
  beginAt: (
    partition: TopicPartition,
    range: OffsetRange,
    committed: CommittedOffset | undefined,
    signal: AbortSignal,
  ) => bigint | Promise<bigint> = (_, range) => range.begin;
  /** Runs inside `onRecords`, after the records were remembered. */
  onBatch: (records: readonly LogRecord[], partition: TopicPartition, signal: AbortSignal) => void | Promise<void> =
    () => undefined;
  readonly #watching = new Set<() => void>();

  async onAssigned(
    partition: TopicPartition,
    range: OffsetRange,
    committed: CommittedOffset | undefined,
    signal: AbortSignal,
  ): Promise<bigint> {
    const begin = await this.beginAt(partition, range, committed, signal);
    this.assigned.push(partition);
    this.#note(`assigned ${nameOf(partition)}`);
    return begin;
  }

  async onRecords(partition: TopicPartition, records: readonly LogRecord[], signal: AbortSignal): Promise<void> {
    this.records.push(...records);
    this.#note(`records ${nameOf(partition)}`);
    await this.onBatch(records, partition, signal);
    this.#note(`done ${nameOf(partition)}`);
  }

  async onRevoked(partition: TopicPartition): Promise<void> {
    this.revoked.push(partition);
    this.#note(`revoked ${nameOf(partition)}`);
  }

  /** Resolves as soon as `holds` does, which is asked after each call. */
  until(holds: () => boolean): Promise<void> {
    if (holds()) return Promise.resolve();
    return new Promise((resolve) => {
      const look = () => {
        if (!holds()) return;
        this.#watching.delete(look);
        resolve();
      };
      this.#watching.add(look);
    });
  }

  of({ topic, partition }: TopicPartition): readonly LogRecord[] {
    return this.records.filter((record) => record.topic === topic && record.partition === partition);
  }

  #note(call: string): void {
    this.calls.push(call);
    for (const look of this.#watching) look();
  }
}

export function nameOf({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`;
}
