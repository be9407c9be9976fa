import type { EventLog, TopicPartition } from '@aipx/event-log';
import { readRecord } from './read-record.js';
import { recordHash } from './record-hash.js';

/** What a store knows of the log that a partition of it was recorded from. */
export interface RecordedFrom {
  readonly logId: string;
  /** The first offset that is not stored. */
  readonly position: bigint;
  /** `recordHash` of records that are stored, where it is known. */
  readonly hashes: readonly { readonly offset: bigint; readonly hash: string | null | undefined }[];
}

/**
 * Compares what a store has with a log, as far as that can still be read: going on in another one would skip its first
 * records, or store others under the same offsets.
 *
 * @returns what shows that it is another log; `undefined` when nothing does
 */
export async function signOfAnotherLog(
  log: Pick<EventLog, 'id' | 'range' | 'read'>,
  partition: TopicPartition,
  { logId, position, hashes }: RecordedFrom,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (logId !== log.id) return `the position ${position} is of log ${logId}, and this is log ${log.id}`;
  // Asked for now: the owner before may have stored what came since the assignment.
  const { begin, end } = await log.range(partition, { signal });
  if (position > end) return `the position ${position} is behind the log's end ${end}`;
  for (const { offset, hash } of hashes) {
    if (typeof hash !== 'string' || offset < begin) continue;
    const record = await readRecord(log, partition, offset, signal, offset + 1n);
    if (record?.offset === offset && recordHash(record) !== hash) {
      return `the record at ${offset} is not the one that was stored`;
    }
  }
  return undefined;
}
