import type { EventLog } from '@aipx/event-log';
import { MarketDataError } from '@aipx/market-model';
import { recordHash } from '@aipx/recording';
import type { Plan } from './plan.js';
import { readRecord } from './read-range.js';

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
  if (last.logId !== log.id) throw mismatch(last, `it was recorded from log ${last.logId}, this is log ${log.id}`);
  const { end } = await log.range(last.partition, { signal });
  if (last.end > end) throw mismatch(last, `it reaches to offset ${last.end}, but the log ends at ${end}`);
  await expectSameRecord(log, last, last.begin - 1n, last.hashBefore, signal);
  await expectSameRecord(log, last, last.end - 1n, last.lastHash, signal);
}

async function expectSameRecord(
  log: Pick<EventLog, 'range' | 'read'>,
  plan: Plan,
  offset: bigint,
  hash: string | null,
  signal: AbortSignal,
): Promise<void> {
  const record = hash === null ? undefined : await readRecord(log, plan.partition, offset, signal);
  if (record !== undefined && recordHash(record) !== hash) {
    throw mismatch(plan, `record ${offset} is not the one that was recorded: the log was made anew`);
  }
}

export function mismatch({ partition: { topic, partition } }: Pick<Plan, 'partition'>, why: string): MarketDataError {
  return new MarketDataError(
    'STORE_LOG_MISMATCH',
    `the lake's batches of ${topic}/${partition} belong to another log: ${why}. ` +
      'Record this log to another database and S3_PREFIX, or bring the old log back',
    { context: { topic, partition } },
  );
}
