import type { EventLog, LogRecord, OffsetRange, TopicPartition } from '@aipx/event-log';
import { decodeRecord } from '../decode-record.js';
import type { DeadLetters, DeadRecord } from '../dead-letters.js';

const AT_ONCE = { maxRecords: 500, maxBytes: 4 * 1024 * 1024 };

/**
 * Sends the undecodable records of a partition to the dead letter topic, read again from the log with all they came
 * with. One that retention took meanwhile is listed in its batch's plan all the same.
 */
export async function sendUndecodable(
  log: EventLog,
  letters: DeadLetters,
  partition: TopicPartition,
  offsets: readonly OffsetRange[],
  signal: AbortSignal,
): Promise<void> {
  for (const range of offsets) {
    for await (const records of readRange(log, partition, range, signal)) {
      await letters.send(records.map(deadRecord), signal);
    }
  }
}

async function* readRange(
  log: EventLog,
  partition: TopicPartition,
  { begin, end }: OffsetRange,
  signal: AbortSignal,
): AsyncGenerator<readonly LogRecord[]> {
  const held = await log.range(partition, { signal });
  let next = begin < held.begin ? held.begin : begin;
  while (next < end) {
    const read = await log.read(partition, next, AT_ONCE, { signal, until: end });
    const last = read.at(-1);
    if (last === undefined) return;
    yield read.filter(({ offset }) => offset < end);
    next = last.offset + 1n;
  }
}

function deadRecord(record: LogRecord): DeadRecord {
  const decoded = decodeRecord(record);
  return 'error' in decoded
    ? { record, reason: decoded.error.code, message: decoded.error.message }
    : { record, reason: 'VALIDATION_RECORD', message: 'undecodable for the version that planned its batch' };
}
