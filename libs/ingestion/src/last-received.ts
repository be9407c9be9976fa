import type { EventLog, LogRecord, TopicPartition } from '@aipx/event-log';
import type { Channel, Nanoseconds, OrderBook, Tick } from '@aipx/market-model';
import { decodeEvent, EVENT_TOPICS } from '@aipx/market-proto';
import type { Subscription } from '@aipx/venue';

const CHUNK = 1_000n;
const CHANNELS = ['tick', 'orderbook'] as const;

/** A partition and where it ended when it was looked at: what came later is not of the past. */
export interface PartitionEnd {
  readonly partition: TopicPartition;
  readonly end: bigint;
  /** What lies before is not read. @default the partition's first record */
  readonly begin?: bigint;
}

export interface SearchedSpan {
  /** Records the log took before this are not read. */
  readonly since: Readonly<Record<Channel, Nanoseconds>>;
  /** What was received from then on does not count. */
  readonly before: Nanoseconds | undefined;
}

/** Streams and their last records. Gets each stream as it is found, so that what an interrupted search knows is not lost. */
export type LastRecords = Map<Subscription, Tick | OrderBook>;

/** Where the log of ticks and books ends now. */
export async function partitionEnds(log: EventLog): Promise<readonly PartitionEnd[]> {
  const partitions = (await Promise.all(CHANNELS.map((channel) => log.partitionsOf(EVENT_TOPICS[channel])))).flat();
  return Promise.all(partitions.map(async (partition) => ({ partition, end: (await log.range(partition)).end })));
}

/** What came between two looks. */
export function endsBehind(ends: readonly PartitionEnd[], earlier: readonly PartitionEnd[]): readonly PartitionEnd[] {
  const begins = new Map(earlier.map(({ partition, end }) => [nameOf(partition), end]));
  return ends.map(({ partition, end }) => ({ partition, end, begin: begins.get(nameOf(partition)) ?? 0n }));
}

/**
 * Each stream's last record, read back from the log's end. It is what tells a restarted process for how long nobody
 * listened.
 */
export async function lastReceived(
  log: EventLog,
  ends: readonly PartitionEnd[],
  exchange: string,
  subscriptions: readonly Subscription[],
  { since, before }: SearchedSpan,
  found: LastRecords,
  signal: AbortSignal,
): Promise<void> {
  const searches = ends.map(async ({ partition, begin = 0n, end }) => {
    const wanted = wantedIn(log, partition, subscriptions);
    const [stream] = wanted.values();
    if (stream === undefined) return;
    for await (const record of backwards(log, partition, { begin, end }, signal)) {
      if (record.appendedAt < since[stream.channel]) return;
      const subscription = record.headers['exchange'] === exchange ? wanted.get(record.key) : undefined;
      const event = subscription && readableEvent(subscription.channel, record);
      if (subscription === undefined || event === undefined) continue;
      if (before !== undefined && event.receivedTimestamp >= before) continue;
      wanted.delete(record.key);
      found.set(subscription, event);
      if (wanted.size === 0) return;
    }
  });
  await Promise.all(searches);
}

/** The streams whose records go to this partition, by symbol. */
function wantedIn(
  log: EventLog,
  { topic, partition }: TopicPartition,
  subscriptions: readonly Subscription[],
): Map<string, Subscription> {
  const here = subscriptions.filter(
    ({ symbol, channel }) => EVENT_TOPICS[channel] === topic && log.partitionFor(topic, symbol).partition === partition,
  );
  return new Map(here.map((subscription) => [subscription.symbol, subscription]));
}

/** `undefined` for a record that cannot be read: the one before it will do. */
function readableEvent(channel: Channel, record: LogRecord): Tick | OrderBook | undefined {
  try {
    const event = decodeEvent(channel, record.value);
    return event.kind === 'gap' ? undefined : event;
  } catch {
    return undefined;
  }
}

async function* backwards(
  log: EventLog,
  partition: TopicPartition,
  { begin: wanted, end }: { readonly begin: bigint; readonly end: bigint },
  signal: AbortSignal,
): AsyncGenerator<LogRecord> {
  if (wanted === end) return;
  const { begin: first } = await log.range(partition);
  const begin = first > wanted ? first : wanted;
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
    const part = await log.read(partition, next, { maxRecords: Number(to - next), maxBytes: 1 << 20 }, { until: to });
    const last = part.at(-1);
    if (last === undefined) break;
    records.push(...part);
    next = last.offset + 1n;
  }
  return records;
}

function nameOf({ topic, partition }: TopicPartition): string {
  return `${topic} ${partition}`;
}
