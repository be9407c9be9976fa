import type { EventLog, LogRecord, OffsetRange, TopicPartition } from '@aipx/event-log';
import { RecordPacker, type PackedRecords } from '@aipx/recording';

const AT_ONCE = { maxRecords: 10_000, maxBytes: 4 * 1024 * 1024 };

export interface HeldRecords {
  readonly records: PackedRecords;
  /** What the log still had of the range. An offset of it that has no record holds none. */
  readonly held: OffsetRange;
}

/** What the log still holds of a range. A batch's range: it was cut to fit in memory. */
export async function readRange(
  log: Pick<EventLog, 'range' | 'read'>,
  partition: TopicPartition,
  { begin, end }: OffsetRange,
  signal: AbortSignal,
): Promise<HeldRecords> {
  const packer = new RecordPacker();
  const range = await log.range(partition, { signal });
  let next = begin < range.begin ? range.begin : begin;
  const held = { begin: next < end ? next : end, end };
  while (next < end) {
    const records = await log.read(partition, next, AT_ONCE, { signal, until: end });
    for (const record of records) {
      if (record.offset >= next && record.offset < end) packer.append(record);
    }
    const last = records.at(-1);
    if (last === undefined) break;
    next = last.offset + 1n;
  }
  return { records: packer.pack(), held };
}

/** The record at an offset, `undefined` when the log no longer holds it. */
export async function readRecord(
  log: Pick<EventLog, 'range' | 'read'>,
  partition: TopicPartition,
  offset: bigint,
  signal: AbortSignal,
): Promise<LogRecord | undefined> {
  const held = await log.range(partition, { signal });
  if (offset < held.begin || offset >= held.end) return undefined;
  const limits = { maxRecords: 1, maxBytes: AT_ONCE.maxBytes };
  const records = await log.read(partition, offset, limits, { signal, until: offset + 1n });
  return records.find((record) => record.offset === offset);
}
