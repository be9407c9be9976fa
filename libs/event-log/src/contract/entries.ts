import type { EventLog, LogEntry, LogRecord, ReadLimits, TopicPartition } from '../event-log.js';

export const TICKS = 'market.tick';
export const BOOKS = 'market.orderbook';
export const TOPICS: Readonly<Record<string, number>> = { [TICKS]: 4, [BOOKS]: 3 };
export const AMPLE: ReadLimits = { maxRecords: 1_000, maxBytes: 1_000_000 };

export function entry(key: string, text: string, topic = TICKS): LogEntry {
  return { topic, key, value: Buffer.from(text), headers: { exchange: 'upbit', schema: 'aipx.market.v1.TickData' } };
}

export function textOf(record: { readonly value: Uint8Array }): string {
  return Buffer.from(record.value).toString();
}

/** Everything a partition holds, read in steps: small ones, so that each step's start and end are tested along. */
export async function readAll(log: EventLog, partition: TopicPartition, maxRecords = 7): Promise<readonly LogRecord[]> {
  const records: LogRecord[] = [];
  let { begin: next } = await log.range(partition);
  for (;;) {
    const step = await log.read(partition, next, { maxRecords, maxBytes: 1_000_000 });
    if (step.length === 0) return records;
    records.push(...step);
    next += BigInt(step.length);
  }
}

/** Everything the log holds, partition by partition. */
export async function readWhole(log: EventLog): Promise<readonly LogRecord[]> {
  const records: LogRecord[] = [];
  for (const topic of log.topics) {
    for (const partition of await log.partitionsOf(topic)) {
      for (const record of await readAll(log, partition)) records.push(record);
    }
  }
  return records;
}

/** The partition that a key's records are in. The log must hold one. */
export async function partitionOfKey(log: EventLog, key: string, topic = TICKS): Promise<TopicPartition> {
  for (const partition of await log.partitionsOf(topic)) {
    if ((await readAll(log, partition)).some((record) => record.key === key)) return partition;
  }
  throw new Error(`no record of ${key} in ${topic}`);
}

/** Waits until the signal aborts, and rejects with its reason, as what hears it does. */
export function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}
