import { setTimeout as sleep } from 'node:timers/promises';
import type { EventLog, OffsetRange, TopicPartition } from '@aipx/event-log';
import type { LakeCatalog, ManifestEntry } from '@aipx/lake';
import { MarketDataError } from '@aipx/market-model';
import { EVENT_TOPICS } from '@aipx/market-proto';
import type { HotReader } from '@aipx/timescale';

/** Which part of the log is asked for. */
export interface VerifyRange {
  /** Half open, nanoseconds of event time. */
  readonly from?: bigint;
  readonly to?: bigint;
  readonly topic?: string;
  readonly partition?: number;
  /** Half open. */
  readonly offsets?: OffsetRange;
}

/** A partition, how far it is stored, and what of it is compared. */
export interface PartitionScope {
  readonly partition: TopicPartition;
  readonly log: OffsetRange;
  /** First offset that the store does not have yet; absent for a store that is not compared. */
  readonly database?: bigint;
  readonly lake?: bigint;
  /** Finished batches, ascending. */
  readonly entries: readonly ManifestEntry[];
  /** What of the log is compared, whatever retention left of it. */
  readonly compared: OffsetRange;
}

export interface ScopeParts {
  readonly log: EventLog;
  readonly database?: HotReader | undefined;
  readonly lake?: LakeCatalog | undefined;
}

const POLL_MS = 250;

/**
 * How far log and stores have come.
 *
 * @param waitMs how long the stores may take to reach what the log holds now
 * @throws {MarketDataError} `CONFIG_INVALID` for a partition that is not there, `STORE_LOG_MISMATCH` for a store that
 * belongs to another log, `STORE_UNAVAILABLE` when a store did not come so far in time
 */
export async function findScope(
  parts: ScopeParts,
  range: VerifyRange,
  waitMs: number,
  signal: AbortSignal,
): Promise<readonly PartitionScope[]> {
  const partitions = await askedFor(parts.log, range);
  const logRanges = await Promise.all(partitions.map((partition) => parts.log.range(partition, { signal })));
  const giveUpAt = performance.now() + waitMs;
  for (;;) {
    const scopes: PartitionScope[] = [];
    for (const [index, partition] of partitions.entries()) {
      scopes.push(await scopeOf(parts, partition, logRanges[index] ?? { begin: 0n, end: 0n }, range.offsets));
    }
    const behind = scopes.find(({ log, database = log.end, lake = log.end }) => database < log.end || lake < log.end);
    if (behind === undefined || waitMs === 0) return scopes;
    if (performance.now() > giveUpAt) throw tooLate(behind, waitMs);
    await sleep(POLL_MS, undefined, { signal });
  }
}

async function askedFor(log: EventLog, { topic, partition, offsets }: VerifyRange): Promise<readonly TopicPartition[]> {
  const topics = Object.values(EVENT_TOPICS);
  if (topic !== undefined && !topics.includes(topic)) {
    throw new MarketDataError('CONFIG_INVALID', `--topic ${topic} is not one of ${topics.join(', ')}`);
  }
  const all = (
    await Promise.all((topic === undefined ? topics : [topic]).map((name) => log.partitionsOf(name)))
  ).flat();
  const found = all.filter((each) => partition === undefined || each.partition === partition);
  if (found.length > 0) return found;
  throw new MarketDataError(
    'CONFIG_INVALID',
    `--partition ${partition}${offsets === undefined ? '' : ' with its offsets'}: the topic has ${all.length} partitions, from 0 to ${all.length - 1}`,
  );
}

async function scopeOf(
  { log, database, lake }: ScopeParts,
  partition: TopicPartition,
  logRange: OffsetRange,
  offsets: OffsetRange | undefined,
): Promise<PartitionScope> {
  const position = await database?.position(partition);
  const entries = (await lake?.entries(partition)) ?? [];
  const owner = position?.logId ?? entries[0]?.logId;
  const other = [position?.logId, ...entries.map(({ logId }) => logId)].find((id) => id !== undefined && id !== log.id);
  if (other !== undefined) {
    throw new MarketDataError(
      'STORE_LOG_MISMATCH',
      `${partition.topic}/${partition.partition} is stored from log ${other}, and this is log ${log.id}; check KAFKA_BROKERS, TIMESCALEDB_* and S3_* or LAKE_DIR`,
      { context: { owner: owner ?? '' } },
    );
  }
  const ends = {
    ...(database !== undefined && { database: position?.nextOffset ?? 0n }),
    ...(lake !== undefined && { lake: entries.at(-1)?.end ?? 0n }),
  };
  const stored = least(logRange.end, ends.database ?? logRange.end, ends.lake ?? logRange.end);
  const begin = offsets?.begin ?? 0n;
  const end = least(stored, offsets?.end ?? stored);
  return { partition, log: logRange, ...ends, entries, compared: { begin, end: end < begin ? begin : end } };
}

function tooLate({ partition, log, database, lake }: PartitionScope, waitMs: number): MarketDataError {
  const stands = [
    ...(database === undefined ? [] : [`the database at ${database}`]),
    ...(lake === undefined ? [] : [`the lake at ${lake}`]),
  ];
  return new MarketDataError(
    'STORE_UNAVAILABLE',
    `${partition.topic}/${partition.partition} ends at ${log.end}, and after ${waitMs} ms ${stands.join(' and ')}; is the recorder running, and S3_BATCH_TIMEOUT_SEC below the wait?`,
    { retryable: true },
  );
}

function least(...values: readonly bigint[]): bigint {
  return values.reduce((least, value) => (value < least ? value : least));
}
