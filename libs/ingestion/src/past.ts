import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import type { EventLog } from '@aipx/event-log';
import {
  asMarketDataError,
  type Channel,
  MarketDataError,
  type Nanoseconds,
  type OrderBook,
  type Tick,
} from '@aipx/market-model';
import { decodeEvent, EVENT_TOPICS } from '@aipx/market-proto';
import type { SessionMemory, Subscription } from '@aipx/venue';
import type { StreamPast } from './absences.js';
import { lastReceived, partitionEnds, type LastRecords, type PartitionEnd } from './last-received.js';
import type { SpillEntry, SpillQueue } from './spill/spill-queue.js';

/** A stream's last record, by topic, exchange and symbol. */
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
      past.set(recordName(entry.topic, exchange, entry.key), entry);
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
  /** Records the log took before this are not read, but for trades that the venue's memory has use for. */
  readonly since: Nanoseconds;
  /** Now. */
  readonly startedAt: Nanoseconds;
  readonly endOf: EndOfPast;
  /** Until when an earlier process left word that it had listened to a stream. */
  readonly listenedUntil: (venue: string, subscription: Subscription) => Nanoseconds | undefined;
  readonly onFault: (error: MarketDataError) => void;
  /** Ends the reading; what was found until then is returned. */
  readonly signal: AbortSignal;
}

/** What is known of a stream, with its last record itself where that can be read. */
export interface PastRecord extends StreamPast {
  readonly last: Tick | OrderBook | undefined;
}

export type PastRecords = ReadonlyMap<Subscription, PastRecord>;

/**
 * When each stream's last record of the time before this process was received, as the log and then the disk know. Waits
 * out a log that is away. One search for all connections to a venue.
 *
 * @param memory tells how far back trades are of use
 * @returns `undefined` when nothing was recorded, so that nothing can be missing; else what is known of each stream
 */
export async function readPast(
  options: PastOptions,
  exchange: string,
  subscriptions: readonly Subscription[],
  memory?: SessionMemory,
): Promise<PastRecords | undefined> {
  const { since: orderbook, listenedUntil } = options;
  const since = { tick: tradesSince(options, memory), orderbook };
  const logged = await fromLog(options, exchange, subscriptions, since);
  const spilled = await options.spilled;
  if (logged === undefined && spilled.size === 0) return undefined;
  const past = new Map<Subscription, PastRecord>();
  for (const subscription of subscriptions) {
    const onDisk = spilled.get(recordName(EVENT_TOPICS[subscription.channel], exchange, subscription.symbol));
    let last = logged?.get(subscription);
    let lastReceived = last?.receivedTimestamp;
    // Acknowledged out of turn, a record of the disk may be older than the log's last.
    if (onDisk !== undefined && onDisk.receivedAt > (lastReceived ?? 0n)) {
      lastReceived = onDisk.receivedAt;
      last = readable(subscription, onDisk.value) ?? last;
    }
    past.set(subscription, { lastReceived, listenedUntil: listenedUntil(exchange, subscription), last });
  }
  return past;
}

/** Of two looks at the log, what is known of each stream. */
export function latest(before: PastRecords | undefined, later: PastRecords | undefined): PastRecords | undefined {
  if (before === undefined || later === undefined) return before ?? later;
  const news = [...later].filter(([stream, { lastReceived = 0n }]) => {
    const known = before.get(stream)?.lastReceived;
    return known === undefined || lastReceived > known;
  });
  return new Map([...before, ...news]);
}

/** The venue's memory gets the last trades. */
export function resumeTrades(
  past: PastRecords,
  subscriptions: readonly Subscription[],
  memory: SessionMemory | undefined,
  onFault: PastOptions['onFault'],
): void {
  for (const subscription of subscriptions) {
    const last = past.get(subscription)?.last;
    if (last?.kind === 'tick') resume(memory, last, onFault);
  }
}

function tradesSince({ since, startedAt, onFault }: PastOptions, memory: SessionMemory | undefined): Nanoseconds {
  try {
    const useful = memory?.usefulSince(startedAt) ?? since;
    return useful < since ? useful : since;
  } catch (cause) {
    onFault(asMarketDataError(cause, 'CONFIG_INVALID'));
    return since;
  }
}

/** What one stored trade does not tell is not worth the start of the process. */
function resume(memory: SessionMemory | undefined, tick: Tick, onFault: PastOptions['onFault']): void {
  try {
    memory?.resume(tick);
  } catch (cause) {
    const { code, message } = asMarketDataError(cause, 'VALIDATION_TICK');
    const trade = `${tick.exchange} ${tick.symbol} ${tick.tradeId}`;
    onFault(new MarketDataError(code, `the stored trade ${trade} cannot be gone on from: ${message}`, { cause }));
  }
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
  { log, ends, endOf, onFault, signal }: PastOptions,
  exchange: string,
  subscriptions: readonly Subscription[],
  since: Readonly<Record<Channel, Nanoseconds>>,
): Promise<LastRecords | undefined> {
  if (ends.every(({ begin = 0n, end }) => end === begin)) return undefined;
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

function recordName(topic: string, exchange: string, symbol: string): string {
  return `${topic} ${exchange} ${symbol}`;
}
