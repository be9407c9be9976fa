import type { EventLog, LogRecord, TopicPartition } from '@aipx/event-log';
import { MarketDataError } from '@aipx/market-model';

const ONE_RECORD = { maxRecords: 1, maxBytes: 1 } as const;

/**
 * The first record from an offset on; `undefined` when there is none, or when retention has moved beyond the offset.
 *
 * @param until an offset that the log is known to reach to
 */
export async function readRecord(
  log: Pick<EventLog, 'read'>,
  partition: TopicPartition,
  from: bigint,
  signal: AbortSignal,
  until = 0n,
): Promise<LogRecord | undefined> {
  try {
    const [record] = await log.read(partition, from, ONE_RECORD, { signal, until });
    return record;
  } catch (cause) {
    // The range was asked for before an outage of the store, which may have lasted: the same offset never comes back.
    if (cause instanceof MarketDataError && cause.code === 'STORE_REFUSED' && cause.retryable) return undefined;
    throw cause;
  }
}
