import type { EventLog, TopicPartition } from '@aipx/event-log';
import { MarketDataError } from '@aipx/market-model';
import { signOfAnotherLog } from '../same-log.js';
import type { StoredPosition } from './hot-store.js';

/** @throws {MarketDataError} `STORE_LOG_MISMATCH`, with the way out, for a position of another log */
export async function assertSameLog(
  log: EventLog,
  partition: TopicPartition,
  { logId, nextOffset, lastHash }: StoredPosition,
  signal: AbortSignal,
): Promise<void> {
  const hashes = [{ offset: nextOffset - 1n, hash: lastHash }];
  const sign = await signOfAnotherLog(log, partition, { logId, position: nextOffset, hashes }, signal);
  if (sign === undefined) return;
  const { topic, partition: number } = partition;
  throw new MarketDataError(
    'STORE_LOG_MISMATCH',
    `the database was filled from another log: in ${topic}/${number}, ${sign}. ` +
      'Record this log into another database and another S3_PREFIX, or go back to the log that this one belongs to.',
    { context: { topic, partition: number } },
  );
}
