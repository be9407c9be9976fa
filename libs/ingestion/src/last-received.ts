import type { EventLog, LogRecord, TopicPartition } from '@aipx/event-log';
import type { Nanoseconds } from '@aipx/market-model';
import { decodeEvent, EVENT_TOPICS } from '@aipx/market-proto';
import type { Subscription } from '@aipx/venue';

const CHUNK = 1_000n;
const CHANNELS = ['tick', 'orderbook'] as const;

/** A partition and where it ended when this process began: what came later is its own. */
export interface PartitionEnd {
  readonly partition: TopicPartition;
  readonly end: bigint;
}

/** Where the log of ticks and books ends now. */
export async function partitionEnds(log: EventLog): Promise<readonly PartitionEnd[]> {
  const partitions = (await Promise.all(CHANNELS.map((channel) => log.partitionsOf(EVENT_TOPICS[channel])))).flat();
  return Promise.all(partitions.map(async (partition) => ({ partition, end: (await log.range(partition)).end })));
}

/**
 * When each stream's last record was received, read back from the log's end. It is what tells a restarted process for
 * how long nobody listened.
 *
 * @param since records the log took before this are not read
 * @returns `undefined` for an empty log, in which nothing can be missing; else the streams found
 */
export async function lastReceived(
  log: EventLog,
  ends: readonly PartitionEnd[],
  exchange: string,
  subscriptions: readonly Subscription[],
  since: Nanoseconds,
  signal: AbortSignal,
): Promise<ReadonlyMap<Subscription, Nanoseconds> | undefined> {
  if (ends.every(({ end }) => end === 0n)) return undefined;
  const found = new Map<Subscription, Nanoseconds>();
  for (const channel of CHANNELS) {
    const wanted = new Map(
      subscriptions.filter((subscription) => subscription.channel === channel).map((each) => [each.symbol, each]),
    );
    for (const { partition, end } of ends.filter((each) => each.partition.topic === EVENT_TOPICS[channel])) {
      for await (const record of backwards(log, partition, end, signal)) {
        if (record.appendedAt < since || wanted.size === 0) break;
        const subscription = record.headers['exchange'] === exchange ? wanted.get(record.key) : undefined;
        const receivedAt = subscription === undefined ? undefined : receivedTime(channel, record);
        if (subscription === undefined || receivedAt === undefined) continue;
        wanted.delete(record.key);
        found.set(subscription, receivedAt);
      }
    }
  }
  return found;
}

/** `undefined` for a record that cannot be read: the one before it will do. */
function receivedTime(channel: (typeof CHANNELS)[number], record: LogRecord): Nanoseconds | undefined {
  try {
    const event = decodeEvent(channel, record.value);
    return event.kind === 'gap' ? undefined : event.receivedTimestamp;
  } catch {
    return undefined;
  }
}

async function* backwards(
  log: EventLog,
  partition: TopicPartition,
  end: bigint,
  signal: AbortSignal,
): AsyncGenerator<LogRecord> {
  const { begin } = await log.range(partition);
  for (let to = end; to > begin && !signal.aborted;) {
    const from = to - CHUNK > begin ? to - CHUNK : begin;
    const records = await readAll(log, partition, from, to);
    yield* records.toReversed();
    to = from;
  }
}

async function readAll(log: EventLog, partition: TopicPartition, from: bigint, to: bigint): Promise<LogRecord[]> {
  const records: LogRecord[] = [];
  for (let next = from; next < to;) {
    const part = await log.read(partition, next, { maxRecords: Number(to - next), maxBytes: 1 << 20 });
    const last = part.at(-1);
    if (last === undefined) break;
    records.push(...part);
    next = last.offset + 1n;
  }
  return records;
}
