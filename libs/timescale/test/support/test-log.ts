import {
  DEAD_LETTER_TOPIC,
  type EventLog,
  type LogRecord,
  type OffsetRange,
  type PartitionHandler,
  type TopicPartition,
} from '@aipx/event-log';
import type { MarketEvent } from '@aipx/market-model';
import { entryOf } from '@aipx/market-proto/testing';

export async function publish(log: EventLog, events: readonly MarketEvent[]): Promise<void> {
  await log.append(events.map(entryOf));
}

/** Every record of the topics, in the order of their partitions. */
export async function recordsOf(log: EventLog, topics: readonly string[]): Promise<LogRecord[]> {
  const records: LogRecord[] = [];
  for (const topic of topics) {
    for (const partition of await log.partitionsOf(topic)) {
      const { begin, end } = await log.range(partition);
      for (let from = begin; from < end;) {
        const some = await log.read(partition, from, { maxRecords: 5000, maxBytes: 1 << 24 });
        records.push(...some);
        from += BigInt(some.length);
      }
    }
  }
  return records;
}

export async function deadLettersOf(log: EventLog): Promise<LogRecord[]> {
  return recordsOf(log, [DEAD_LETTER_TOPIC]);
}

/** The log as it is after retention took the first records of one topic's partitions. */
export function afterRetention(log: EventLog, topic: string, begin: bigint): EventLog {
  const cut = (partition: TopicPartition, range: OffsetRange): OffsetRange =>
    partition.topic === topic && range.begin < begin ? { ...range, begin } : range;
  return {
    id: log.id,
    topics: log.topics,
    keepsProgress: log.keepsProgress,
    partitionFor: (name, key) => log.partitionFor(name, key),
    partitionsOf: (name) => log.partitionsOf(name),
    range: async (partition) => cut(partition, await log.range(partition)),
    append: (entries, options) => log.append(entries, options),
    progressOf: (source) => log.progressOf(source),
    read: (partition, from, limits) => log.read(partition, from, limits),
    consume: (options, handler, signal) => {
      const trimmed: PartitionHandler = {
        onAssigned: (partition, range, committed, stop) =>
          handler.onAssigned(partition, cut(partition, range), committed, stop),
        onRecords: (partition, records, stop) => handler.onRecords(partition, records, stop),
        onRevoked: (partition) => handler.onRevoked(partition),
      };
      return log.consume(options, trimmed, signal);
    },
    close: () => log.close(),
  };
}

/** The log as another one is named: on Kafka, a topic that is made anew stays in its cluster. */
export function underId(log: EventLog, id: string): EventLog {
  const named = Object.create(log, { id: { value: id } }) as EventLog;
  for (const method of ['partitionsOf', 'range', 'read', 'append', 'consume', 'partitionFor'] as const) {
    Object.defineProperty(named, method, { value: (log[method] as (...args: unknown[]) => unknown).bind(log) });
  }
  return named;
}
