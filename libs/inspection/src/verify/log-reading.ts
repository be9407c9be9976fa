import type { EventLog, LogRecord, OffsetRange, TopicPartition } from '@aipx/event-log';
import { MarketDataError } from '@aipx/market-model';

const LIMITS = { maxRecords: 5_000, maxBytes: 4 * 1024 * 1024 };

/**
 * The records of a range, the next ones being asked for while the last are worked on. What retention takes meanwhile is
 * left out.
 */
export async function* readingLog(
  log: EventLog,
  partition: TopicPartition,
  { begin, end }: OffsetRange,
  signal: AbortSignal,
): AsyncGenerator<readonly LogRecord[]> {
  let coming = readFrom(log, partition, begin, end, signal);
  try {
    for (;;) {
      const records = await coming;
      const last = records.at(-1);
      if (last === undefined) return;
      coming = readFrom(log, partition, last.offset + 1n, end, signal);
      // Whoever stops in the middle never asks how this one went.
      coming.catch(() => undefined);
      yield last.offset < end ? records : records.filter(({ offset }) => offset < end);
    }
  } finally {
    await coming.catch(() => undefined);
  }
}

async function readFrom(
  log: EventLog,
  partition: TopicPartition,
  from: bigint,
  end: bigint,
  signal: AbortSignal,
): Promise<readonly LogRecord[]> {
  let next = from;
  while (next < end) {
    signal.throwIfAborted();
    try {
      return await log.read(partition, next, LIMITS, { signal, until: end });
    } catch (cause) {
      const { begin } = await log.range(partition, { signal });
      if (!(cause instanceof MarketDataError) || cause.code !== 'STORE_REFUSED' || begin <= next) throw cause;
      next = begin;
    }
  }
  return [];
}
