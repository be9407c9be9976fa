import type { LogRecord, PartitionHandler } from '../event-log.js';
import type { PartitionLog } from './partition-log.js';
import type { ReadTurns } from '../read-turns.js';
import type { Slots } from '../slots.js';

export interface FeedOptions {
  readonly partitions: readonly PartitionLog[];
  readonly read: (partition: PartitionLog, from: bigint) => readonly LogRecord[];
  readonly turns: ReadTurns;
  /** How many handlers run at the same time. */
  readonly slots: Slots;
}

/**
 * Assigns the partitions to the handler, feeds it each partition's records in order until `stop` aborts, lets running
 * calls of the handler end, and revokes what was assigned. The first failure of the handler ends everything and is
 * thrown once all is revoked.
 */
export async function feedPartitions(
  options: FeedOptions,
  handler: PartitionHandler,
  stop: AbortSignal,
): Promise<void> {
  const failed = new AbortController();
  const over = AbortSignal.any([stop, failed.signal]);
  const failures: unknown[] = [];
  const guard = async (work: () => Promise<void>) => {
    try {
      await work();
    } catch (cause) {
      if (over.aborted && cause === over.reason) return;
      failures.push(cause);
      failed.abort();
    }
  };

  const begins = new Map<PartitionLog, bigint>();
  for (const partition of options.partitions) {
    if (over.aborted) break;
    const { id, range } = partition;
    await guard(async () => void begins.set(partition, await handler.onAssigned(id, range, undefined, over)));
  }
  await Promise.all(
    [...begins].map(([partition, begin]) => guard(() => feed(partition, begin, options, handler, over))),
  );
  await Promise.all([...begins.keys()].map((partition) => guard(() => handler.onRevoked(partition.id))));
  if (failures.length > 0) throw failures[0];
}

async function feed(
  partition: PartitionLog,
  begin: bigint,
  { read, turns, slots }: FeedOptions,
  handler: PartitionHandler,
  over: AbortSignal,
): Promise<void> {
  partition.checkInRange(begin);
  let next = begin;
  while (!over.aborted) {
    if (next >= partition.range.end) await partition.grown(over);
    else await slots.use(handOver);
  }

  async function handOver(): Promise<void> {
    await turns.take();
    if (over.aborted) return;
    const records = read(partition, next);
    await handler.onRecords(partition.id, records, over);
    next = (records.at(-1)?.offset ?? next) + 1n;
  }
}
