import { setTimeout as sleep } from 'node:timers/promises';
import type { MarketDataError, Nanoseconds } from '@aipx/market-model';
import type { Subscription } from '@aipx/venue';
import { wallClock } from '@aipx/websocket-client';
import { endsBehind, type PartitionEnd } from './last-received.js';
import { endsOf, latest, readPast, resumeTrades, type EndOfPast, type PastOptions, type PastRecords } from './past.js';
import type { VenueInput } from './venue-connection.js';
import type { VenueFeed } from './venue-feed.js';

/** A connection that is to know what came before it. */
export interface RecollectingConnection {
  readonly venue: string;
  readonly input: Pick<VenueInput, 'subscriptions' | 'memory' | 'access'>;
  readonly feed: Pick<VenueFeed, 'rememberPast' | 'recordedMeanwhile'>;
}

export interface RecollectionOptions {
  readonly past: PastOptions;
  /** How far, ms, the log is read back. */
  readonly lookbackMs: number;
  readonly connections: readonly RecollectingConnection[];
  /** What comes of these streams is this process' own from now on. */
  readonly onBegin: (venue: string, subscriptions: readonly Subscription[], at: Nanoseconds) => void;
  /** Nothing was ever recorded. */
  readonly onNothing: (venue: string, subscriptions: readonly Subscription[]) => void;
  readonly onFailed: (error: unknown) => void;
}

/** What came to the log between two looks at it. */
interface Meanwhile {
  readonly records: PastRecords | undefined;
  /** Nothing else came. */
  readonly isWhole: boolean;
  /** Nothing came behind these records before the connection was made: it can go on from their trades. */
  readonly areLast: boolean;
}

/** So long, ms, a connection waits for the log to be read back. */
const PATIENCE_MS = 2_000;
const NANOS_PER_MILLI = 1_000_000n;
const NOTHING_CAME: Meanwhile = { records: undefined, isWhole: true, areLast: true };
const NOTHING_IS_KNOWN: Meanwhile = { records: undefined, isWhole: false, areLast: false };

/**
 * Tells each connection what was recorded before it. The log is read back when the process begins, once for all connections to a
 * venue. A connection that waits for leave may do so for days, while another process records: what came to the log meanwhile is
 * read when the leave is had, each time.
 */
export class Recollection {
  readonly #options: RecollectionOptions;
  readonly #atStart: ReadonlyMap<string, Promise<PastRecords | undefined>>;
  /** How far the log was looked at for the connections that were made. */
  readonly #begun = new Map<RecollectingConnection, readonly PartitionEnd[]>();
  /** The last leave of each connection that had to wait for one. What was read for one before says nothing of its trades. */
  readonly #leaves = new Map<RecollectingConnection, AbortSignal>();
  readonly #remembering = new Set<Promise<void>>();

  constructor(options: RecollectionOptions) {
    this.#options = options;
    const { past, connections, onFailed } = options;
    this.#atStart = new Map(
      [...Map.groupBy(connections, ({ venue }) => venue)].map(([venue, all]) => {
        const memory = all.find(({ input }) => input.memory !== undefined)?.input.memory;
        const subscriptions = all.flatMap(({ input }) => input.subscriptions);
        const reading = readPast(past, venue, subscriptions, memory);
        reading.catch(onFailed);
        return [venue, reading] as const;
      }),
    );
    for (const connection of connections) {
      if (connection.input.access !== undefined) continue;
      this.#begin(connection, past.ends, wallClock());
      void this.#keep(this.#remember(connection, Promise.resolve(NOTHING_CAME)));
    }
  }

  /** Resolves when all that is read now is read, or after two seconds: the rest goes on beside the live stream. */
  async first(starting: AbortSignal): Promise<void> {
    await Promise.race([this.done(), sleep(PATIENCE_MS, undefined, { signal: starting, ref: false })]);
  }

  /** Resolves when all that is read now is read. */
  async done(): Promise<void> {
    await Promise.allSettled([...this.#atStart.values(), ...this.#remembering]);
  }

  /**
   * A connection that had to wait has its leave; it is made once this resolves, after two seconds at most. Where the log is not read by
   * then, nobody knows how much another process has recorded: the connection does not go on from the trades that it knows, and its
   * gaps may be too long; none is missing. Never rejects.
   */
  async leaveGiven(input: VenueInput, signal: AbortSignal): Promise<void> {
    const connection = this.#options.connections.find((each) => each.input === input);
    if (connection === undefined) return;
    const { log, onFault, signal: reading } = this.#options.past;
    const patience = AbortSignal.any([signal, reading, AbortSignal.timeout(PATIENCE_MS)]);
    const ends = await endsOf(log, onFault, patience).catch(() => undefined);
    if (signal.aborted) return;
    this.#leaves.set(connection, signal);
    const isFirst = !this.#begun.has(connection);
    const remembering = this.#keep(isFirst ? this.#takeOver(connection, ends) : this.#again(connection, ends));
    const late = sleep(PATIENCE_MS, undefined, { signal: patience, ref: false }).catch(() => undefined);
    const isInTime = await Promise.race([remembering.then(() => true), late]);
    if (isInTime !== true) this.#forgetTrades(connection);
  }

  #begin(connection: RecollectingConnection, ends: readonly PartitionEnd[], at: Nanoseconds): void {
    this.#begun.set(connection, ends);
    this.#options.onBegin(connection.venue, connection.input.subscriptions, at);
  }

  #takeOver(connection: RecollectingConnection, ends: readonly PartitionEnd[] | undefined): Promise<void> {
    const at = wallClock();
    const { past } = this.#options;
    this.#begin(connection, ends ?? past.ends, at);
    const meanwhile = ends ? this.#meanwhile(connection, at, ends, past.ends) : this.#meanwhileAtLast(connection, at);
    return this.#remember(connection, meanwhile);
  }

  /** Its leave was another process' for a while. */
  async #again(connection: RecollectingConnection, ends: readonly PartitionEnd[] | undefined): Promise<void> {
    const { input, feed } = connection;
    if (ends === undefined) return this.#forgetTrades(connection);
    const leave = this.#leaves.get(connection);
    const seen = this.#begun.get(connection) ?? [];
    this.#begun.set(connection, ends);
    const { records, isWhole } = await this.#meanwhile(connection, wallClock(), ends, seen);
    if (this.#leaves.get(connection) !== leave) return;
    if (!isWhole) this.#forgetTrades(connection);
    if (records === undefined) return;
    feed.recordedMeanwhile(records);
    resumeTrades(records, input.subscriptions, input.memory, this.#options.past.onFault);
  }

  #keep(reading: Promise<void>): Promise<void> {
    const remembering = reading.catch(this.#options.onFailed).finally(() => this.#remembering.delete(remembering));
    this.#remembering.add(remembering);
    return remembering;
  }

  /** Another process may have gone on from these trades: what comes next would show all that it has recorded to be missing. */
  #forgetTrades({ input: { subscriptions, memory } }: RecollectingConnection): void {
    for (const { symbol, channel } of subscriptions) if (channel === 'tick') memory?.forget(symbol);
  }

  async #meanwhile(
    { venue, input: { subscriptions, memory } }: RecollectingConnection,
    at: Nanoseconds,
    ends: readonly PartitionEnd[],
    seen: readonly PartitionEnd[],
    endOf: EndOfPast = this.#options.past.endOf,
  ): Promise<Meanwhile> {
    const { past, lookbackMs } = this.#options;
    let isWhole = true;
    const onFault = (error: MarketDataError) => {
      if (!error.retryable) isWhole = false; // not tried again
      past.onFault(error);
    };
    const since = at - BigInt(lookbackMs) * NANOS_PER_MILLI;
    const window = { ...past, ends: endsBehind(ends, seen), since, startedAt: at, endOf, onFault };
    const records = await readPast(window, venue, subscriptions, memory);
    return { records, isWhole: isWhole && !past.signal.aborted, areLast: true };
  }

  /**
   * Once the log answers. What is received from `at` on is the connection's own; by the clock of another host what was recorded
   * before may be among it, so that nothing goes on from these trades.
   */
  async #meanwhileAtLast(connection: RecollectingConnection, at: Nanoseconds): Promise<Meanwhile> {
    const { past } = this.#options;
    const ends = await endsOf(past.log, past.onFault, past.signal).catch(() => undefined);
    if (ends === undefined) return NOTHING_IS_KNOWN;
    const endOf = (venue: string) => {
      const end = past.endOf(venue);
      return end === undefined || end > at ? at : end;
    };
    return { ...(await this.#meanwhile(connection, at, ends, past.ends, endOf)), areLast: false };
  }

  async #remember(connection: RecollectingConnection, meanwhile: Promise<Meanwhile>): Promise<void> {
    const { venue, input, feed } = connection;
    const { past, onNothing } = this.#options;
    const leave = this.#leaves.get(connection);
    const [before, { records, isWhole, areLast }] = await Promise.all([this.#atStart.get(venue), meanwhile]);
    const known = latest(before, records);
    if (known === undefined && isWhole) return onNothing(venue, input.subscriptions);
    const newest = isWhole ? known : records;
    if (areLast && newest !== undefined && this.#leaves.get(connection) === leave)
      resumeTrades(newest, input.subscriptions, input.memory, past.onFault);
    feed.rememberPast(known ?? new Map());
  }
}
