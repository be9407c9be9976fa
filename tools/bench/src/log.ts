import { join } from 'node:path';
import { EmbeddedEventLog, type EventLog, type LogEntry, type TopicPartition } from '@aipx/event-log';
import type { Channel } from '@aipx/market-model';
import { EVENT_TOPICS } from '@aipx/market-proto';
import { CHANNELS, figure, type Figure } from './figures.ts';
import { inRounds, recordsPerSecond, type Bench } from './measure.ts';

/** As the ingestion does it by default. */
const ENTRIES_IN_AN_APPEND = 1_000;
/** As the recorders do it by default. */
const READ_LIMITS = { maxRecords: 2_000, maxBytes: 4 * 1024 * 1024 };

/** Appends to the embedded log, and reads the same records back. */
export async function measureLog(bench: Bench): Promise<readonly Figure[]> {
  const { input, effort, folder, signal } = bench;
  await using opened = new AsyncDisposableStack();
  const log = opened.adopt(await openLog(folder, signal), (open) => open.close());
  const figures: Figure[] = [];
  for (const of of CHANNELS) {
    const entries = input.entries(of, effort.records[of]);
    const partition = partitionOf(of);
    const { append, read } = await inRounds(bench, async () => {
      const { end } = await log.range(partition);
      return {
        append: await recordsPerSecond(entries.length, () => appendAll(log, entries)),
        read: await recordsPerSecond(entries.length, () => readAll(log, partition, end)),
      };
    });
    const rate = { group: 'log', of, unit: 'records/s' } as const;
    figures.push(figure({ ...rate, what: 'append' }, append), figure({ ...rate, what: 'read' }, read));
  }
  return figures;
}

/** A log of the folder's own; one partition a topic, as in `npm start`, unless there are to be more. */
export async function openLog(folder: string, signal: AbortSignal, partitions = 1): Promise<EventLog> {
  const topics = Object.fromEntries(CHANNELS.map((channel) => [EVENT_TOPICS[channel], partitions]));
  return EmbeddedEventLog.open({ path: join(folder, 'log.sqlite'), topics, signal });
}

export function partitionOf(channel: Channel): TopicPartition {
  return { topic: EVENT_TOPICS[channel], partition: 0 };
}

export async function appendAll(log: EventLog, entries: readonly LogEntry[]): Promise<void> {
  for (let at = 0; at < entries.length; at += ENTRIES_IN_AN_APPEND) {
    await log.append(entries.slice(at, at + ENTRIES_IN_AN_APPEND));
  }
}

async function readAll(log: EventLog, partition: TopicPartition, from: bigint): Promise<void> {
  const { end } = await log.range(partition);
  for (let next = from; next < end;) {
    const records = await log.read(partition, next, READ_LIMITS);
    next += BigInt(records.length);
  }
}
