import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import type { EventLog } from '@aipx/event-log';
import {
  asMarketDataError,
  type MarketDataError,
  type Nanoseconds,
  type OrderBook,
  type Tick,
} from '@aipx/market-model';
import { decodeEvent, EVENT_TOPICS } from '@aipx/market-proto';
import type { SessionMemory, Subscription } from '@aipx/venue';
import { lastReceived, partitionEnds, type LastRecords, type PartitionEnd } from './last-received.js';
import type { SpillEntry, SpillQueue } from './spill/spill-queue.js';

/** A stream's last record, by `streamName`. */
export type SpilledPast = ReadonlyMap<string, SpillEntry>;

const RECORDS_A_TURN = 2_000;
const RETRY_MS = 1_000;

/** What was received from then on says nothing of the venue's past; absent where everything does. */
export type EndOfPast = (venue: string) => Nanoseconds | undefined;

/**
 * What the disk holds of the time before this process. What comes to stand there meanwhile is not read; nothing may be
 * acknowledged until this resolves.
 */
export async function spilledPast(spill: SpillQueue | undefined, endOf: EndOfPast): Promise<SpilledPast> {
  const past = new Map<string, SpillEntry>();
  const waiting = spill?.waiting ?? 0;
  let read = 0;
  for (const { entry } of spill?.entries() ?? []) {
    if (read === waiting) break;
    const exchange = entry.headers['exchange'];
    if (exchange !== undefined && entry.receivedAt < (endOf(exchange) ?? Infinity)) {
      past.set(streamName(entry.topic, exchange, entry.key), entry);
    }
    read += 1;
    if (read % RECORDS_A_TURN === 0) await turn();
  }
  return past;
}

export interface PastOptions {
  readonly log: EventLog;
  readonly ends: readonly PartitionEnd[];
  readonly spilled: Promise<SpilledPast>;
  /** Records the log took before this are not read. */
  readonly since: Nanoseconds;
  readonly endOf: EndOfPast;
  readonly onFault: (error: MarketDataError) => void;
  /** Ends the reading; what was found until then is returned. */
  readonly signal: AbortSignal;
}

/**
 * When each stream's last record of the time before this process was received, as the log and then the disk know. Waits
 * out a log that is away. The venue's memory gets the last trades.
 *
 * @returns `undefined` when nothing was ever recorded, so that nothing can be missing; else the streams found
 */
export async function readPast(
  options: PastOptions,
  exchange: string,
  subscriptions: readonly Subscription[],
  memory?: SessionMemory,
): Promise<ReadonlyMap<Subscription, Nanoseconds> | undefined> {
  const logged = await fromLog(options, exchange, subscriptions);
  const spilled = await options.spilled;
  if (logged === undefined && spilled.size === 0) return undefined;
  const past = new Map<Subscription, Nanoseconds>();
  for (const subscription of subscriptions) {
    const onDisk = spilled.get(streamName(EVENT_TOPICS[subscription.channel], exchange, subscription.symbol));
    let last = logged?.get(subscription);
    // Acknowledged out of turn, a record of the disk may be older than the log's last.
    if (onDisk !== undefined && onDisk.receivedAt > (last?.receivedTimestamp ?? 0n)) {
      past.set(subscription, onDisk.receivedAt);
      last = readable(subscription, onDisk.value) ?? last;
    } else if (last !== undefined) {
      past.set(subscription, last.receivedTimestamp);
    }
    if (last?.kind === 'tick') memory?.resume(last);
  }
  return past;
}

function readable({ channel }: Subscription, bytes: Uint8Array): Tick | OrderBook | undefined {
  try {
    const event = decodeEvent(channel, bytes);
    return event.kind === 'gap' ? undefined : event;
  } catch {
    return undefined;
  }
}

/** Empty where the search failed: that something may be missing must be said although nobody knows since when. */
async function fromLog(
  { log, ends, since, endOf, onFault, signal }: PastOptions,
  exchange: string,
  subscriptions: readonly Subscription[],
): Promise<LastRecords | undefined> {
  if (ends.every(({ end }) => end === 0n)) return undefined;
  const found: LastRecords = new Map();
  const span = { since, before: endOf(exchange) };
  const search = () => lastReceived(log, ends, exchange, subscriptions, span, found, signal);
  await patiently(search, onFault, signal).catch(() => undefined);
  return found;
}

/** Where the log of ticks and books ends now. Waits out a log that is away. */
export function endsOf(
  log: EventLog,
  onFault: (error: MarketDataError) => void,
  signal: AbortSignal,
): Promise<readonly PartitionEnd[]> {
  return patiently(() => partitionEnds(log), onFault, signal);
}

async function patiently<Result>(
  attempt: () => Promise<Result>,
  onFault: (error: MarketDataError) => void,
  signal: AbortSignal,
): Promise<Result> {
  for (;;) {
    signal.throwIfAborted();
    try {
      return await unlessAborted(attempt(), signal);
    } catch (cause) {
      signal.throwIfAborted();
      const error = asMarketDataError(cause, 'STORE_UNAVAILABLE');
      onFault(error);
      if (!error.retryable) throw error;
      await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined);
    }
  }
}

/** A log that is away may take a request timeout to say so, which a stop does not have. */
async function unlessAborted<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> {
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

function streamName(topic: string, exchange: string, symbol: string): string {
  return `${topic} ${exchange} ${symbol}`;
}
