import type { EventLog } from '@aipx/event-log';
import { MarketDataError } from '@aipx/market-model';
import { signOfAnotherLog } from '@aipx/recording';
import type { Plan } from './plan.js';

/**
 * Checks that the chain that ends with `last` was made from this log: same identity, no position behind the log's end,
 * and the records at the batch's two edges unchanged, where they can still be read.
 *
 * @throws {MarketDataError} `STORE_LOG_MISMATCH`
 */
export async function expectSameLog(
  log: Pick<EventLog, 'id' | 'range' | 'read'>,
  last: Plan,
  signal: AbortSignal,
): Promise<void> {
  const { logId, begin, end, hashBefore, lastHash, partition } = last;
  const hashes = [
    { offset: begin - 1n, hash: hashBefore },
    { offset: end - 1n, hash: lastHash },
  ];
  const sign = await signOfAnotherLog(log, partition, { logId, position: end, hashes }, signal);
  if (sign !== undefined) throw mismatch(last, sign);
}

export function mismatch({ partition: { topic, partition } }: Pick<Plan, 'partition'>, why: string): MarketDataError {
  return new MarketDataError(
    'STORE_LOG_MISMATCH',
    `the lake's batches of ${topic}/${partition} belong to another log: ${why}. ` +
      'Record this log to another database and S3_PREFIX, or bring the old log back',
    { context: { topic, partition } },
  );
}
