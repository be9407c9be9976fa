import type { EventLog, OffsetRange, TopicPartition } from '@aipx/event-log';
import { MarketDataError } from '@aipx/market-model';
import { recordHash } from '../record-hash.js';
import type { StoredPosition } from './hot-store.js';
import { readRecord } from './read-record.js';

/**
 * Proves that a position belongs to this log, as far as the log can still be read: going on in another one would
 * skip its first records, or store others under the same offsets.
 *
 * @throws {MarketDataError} `STORE_LOG_MISMATCH`, with the way out
 */
export async function assertSameLog(
  log: EventLog,
  partition: TopicPartition,
  range: OffsetRange,
  position: StoredPosition,
  signal: AbortSignal,
): Promise<void> {
  const { logId, nextOffset, lastHash } = position;
  if (logId !== log.id) {
    throw mismatch(partition, `the position ${nextOffset} is of log ${logId}, and this is log ${log.id}`);
  }
  if (nextOffset > range.end) {
    // The owner before may have stored what came since the range was asked for.
    const { end } = await log.range(partition, { signal });
    if (nextOffset > end) throw mismatch(partition, `the position ${nextOffset} is behind the log's end ${end}`);
  }
  const last = nextOffset - 1n;
  if (lastHash === undefined || last < range.begin) return;
  const record = await readRecord(log, partition, last, signal);
  if (record?.offset === last && recordHash(record) !== lastHash) {
    throw mismatch(partition, `the record at ${last} is not the one that was stored`);
  }
}

function mismatch({ topic, partition }: TopicPartition, fault: string): MarketDataError {
  return new MarketDataError(
    'STORE_LOG_MISMATCH',
    `the database was filled from another log: in ${topic}/${partition}, ${fault}. ` +
      'Record this log into another database and another S3_PREFIX, or go back to the log that this one belongs to.',
    { context: { topic, partition } },
  );
}
