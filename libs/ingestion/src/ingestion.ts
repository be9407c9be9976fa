import { setTimeout as sleep } from 'node:timers/promises';
import type { EventLog } from '@aipx/event-log';
import { MarketDataError, type Gap, type Nanoseconds } from '@aipx/market-model';
import type { Subscription, TradingNews } from '@aipx/venue';
import { wallClock, type StateChange } from '@aipx/websocket-client';
import { BufferedPublisher } from './buffer/buffered-publisher.js';
import type { BufferLimits } from './buffer/limits.js';
import type { WaitingRecord } from './buffer/waiting-record.js';
import { ClosingWord } from './closing-word.js';
import { FramePublisher } from './frame-publisher.js';
import type { FrameUnit } from './frame-unit.js';
import { ListenedUntil } from './listened-until.js';
import { endsOf, spilledPast } from './past.js';
import type { Publisher, PublisherStatus } from './publisher.js';
import { Recollection } from './recollection.js';
import type { SpillQueue } from './spill/spill-queue.js';
import { UnnamedPast } from './unnamed-past.js';
import { VenueConnection, type VenueInput } from './venue-connection.js';
import { venueStatus, type VenueIngestionStatus } from './venue-status.js';

export interface IngestionOptions {
  readonly log: EventLog;
  /** One a connection: a venue may be given several, each with streams of its own. */
  readonly venues: readonly VenueInput[];
  /** Ends everything at once; what waits is kept only where there is a spill. */
  readonly signal: AbortSignal;
  /**
   * How far, ms, the log is read back for what was last received; its trades further where a venue's memory has use for them.
   *
   * @default one hour
   */
  readonly gapLookbackMs?: number;
  /**
   * For a log that can be slow or away: books are replaced and expire, trades go to the disk. Absent, for a log in this
   * process: nothing is let go, the sockets are paused instead.
   */
  readonly buffer?: BufferOptions;
  /** Without a buffer. @default 5000 frames, 32 MiB, 1000 frames an append, 5 ms */
  readonly pausing?: PausingLimits;
  readonly hooks?: IngestionHooks;
}

export interface BufferOptions {
  readonly limits: BufferLimits;
  /** Absent: what memory cannot hold is dropped and named by gaps. */
  readonly spill?: SpillQueue;
  /** So many failed sends of a batch in a row that no retry can mend end the ingestion; 0 = never. */
  readonly maxHopelessErrors: number;
}

/** @param retryInMs absent: not on this connection */
type StreamSetback = (
  venue: string,
  subscription: Subscription,
  error: MarketDataError,
  retryInMs: number | undefined,
) => void;

export interface IngestionHooks {
  readonly onState?: (venue: string, change: StateChange) => void;
  /** Codes of which nothing came within the time the venue takes to answer. */
  readonly onSilent?: (venue: string, symbols: readonly string[]) => void;
  /** A venue does not send a stream, or no more. Told at each answer. It is asked for again after `retryInMs`, if at all. */
  readonly onRefused?: StreamSetback;
  /** A venue that answers for each stream has not done so in time. Likewise. */
  readonly onUnanswered?: StreamSetback;
  /** A connection takes fewer streams than it was to have; says how many. */
  readonly onFull?: (venue: string, error: MarketDataError) => void;
  /** Streams that were regular and have fallen silent among busy ones. */
  readonly onStale?: (venue: string, streams: readonly Subscription[]) => void;
  /** A venue told of halts, interruptions and changes of session. */
  readonly onTrading?: (venue: string, news: readonly TradingNews[]) => void;
  /** A venue behaves otherwise than is known of it: somebody should look. The same words come once. */
  readonly onNotice?: (venue: string, notice: string) => void;
  /** A connection to a venue will not come back; the others go on. */
  readonly onVenueFailed?: (venue: string, error: MarketDataError, failed: FailedConnection) => void;
  /** Something failed and is being tried again. */
  readonly onFault?: (error: MarketDataError) => void;
  /** A frame's records were handed to the publisher; when it was received. */
  readonly onProcessed?: (receivedAt: Nanoseconds) => void;
  /** With a buffer: a send was acknowledged, after so many ms. */
  readonly onPublished?: (records: readonly WaitingRecord[], tookMs: number) => void;
}

export interface FailedConnection {
  /** Of which nothing comes any more. */
  readonly symbols: readonly string[];
  /** No other connection to the venue is left. */
  readonly isLast: boolean;
}

export interface IngestionStatus {
  readonly publisher: PublisherStatus;
  readonly venues: Readonly<Record<string, VenueIngestionStatus>>;
}

/** Frames and bytes that may wait for a log in this process, and the frames and the wait (ms) of one append to it. */
export interface PausingLimits {
  readonly maxWaitingFrames: number;
  readonly maxWaitingBytes: number;
  readonly maxBatchFrames: number;
  readonly lingerMs: number;
}

const PAUSING: PausingLimits = {
  maxWaitingFrames: 5_000,
  maxWaitingBytes: 32 * 1024 * 1024,
  maxBatchFrames: 1_000,
  lingerMs: 5,
};
const ONE_HOUR_MS = 3_600_000;
/** Different ones that are told in one process: far more than a venue that can be worked with gives reason for. */
const MAX_NOTICES = 1_000;
/** So long, ms, the end waits for what is still read of the log. */
const PAST_AT_END_MS = 1_000;
/** So long, ms, whoever waits for our leave to connect is kept waiting until the log has what came by it. */
const SENT_FIRST_MS = 1_000;
const SENT_LOOK_MS = 10;
const CLOSING_EVERY_MS = 10_000;
const NANOS_PER_MILLI = 1_000_000n;

/** The way from venue sockets to the log. Runs once: `start`, then `expectEnd` or `disconnect`, then `drain`. */
export class Ingestion {
  readonly #options: IngestionOptions;
  readonly #connections: readonly VenueConnection[];
  readonly #publisher: Publisher;
  readonly #failure = Promise.withResolvers<never>();
  readonly #endOfPast = new AbortController();
  readonly #failed = new Set<VenueInput>();
  /** By venue and words. */
  readonly #toldNotices = new Set<string>();
  #started = false;
  #publishing: Promise<void> = Promise.resolve();
  #recollection: Recollection | undefined;
  #unnamedPast: UnnamedPast | undefined;
  #listenedUntil: ListenedUntil | undefined;
  #closings: NodeJS.Timeout | undefined;
  /** When the connections were closed from our side. */
  #closedAt: Nanoseconds | undefined;
  #isPublished = false;

  constructor(options: IngestionOptions) {
    this.#options = options;
    this.#failure.promise.catch(() => undefined);
    this.#publisher = this.#newPublisher();
    this.#connections = options.venues.map((input) => this.#connection(input));
  }

  /** Rejects when the pipeline cannot go on: no venue is left, or the log failed for good. Never resolves. */
  get failed(): Promise<never> {
    return this.#failure.promise;
  }

  /**
   * Opens the way to the log first, then the venues, so that nothing received has nowhere to go. The log is read back for
   * what was last received; where that takes long, it goes on beside the live stream.
   *
   * @param starting ends the start, with its reason
   * @throws {MarketDataError} `CONNECTION_STATE` when it was started before
   */
  async start(starting: AbortSignal = this.#options.signal): Promise<void> {
    if (this.#started)
      throw new MarketDataError('CONNECTION_STATE', 'this ingestion was started already; it runs once');
    this.#started = true;
    const { log, signal, buffer, hooks = {}, gapLookbackMs = ONE_HOUR_MS } = this.#options;
    const onFault = (error: MarketDataError) => hooks.onFault?.(error);
    const ends = await endsOf(log, onFault, AbortSignal.any([signal, starting]));
    const startedAt = wallClock();
    const since = startedAt - BigInt(gapLookbackMs) * NANOS_PER_MILLI;
    const unnamedPast = buffer?.spill && this.#openUnnamedPast(buffer.spill.folder);
    this.#unnamedPast = unnamedPast;
    const listened = buffer?.spill && new ListenedUntil(buffer.spill.folder, onFault);
    this.#listenedUntil = listened;
    if (listened) this.#watchClosings(listened);
    const endOf = (venue: string) => unnamedPast?.endOf(venue);
    const listenedUntil = (venue: string, stream: Subscription) => listened?.of(venue, stream);
    const spilled = spilledPast(buffer?.spill, endOf);
    const reading = AbortSignal.any([signal, this.#endOfPast.signal]);
    const past = { log, ends, spilled, since, startedAt, endOf, listenedUntil, onFault, signal: reading };
    this.#recollection = new Recollection({
      past,
      lookbackMs: gapLookbackMs,
      connections: this.#connections.flatMap(({ id, input, feed }) =>
        input.replay === undefined ? [{ venue: id, input, feed }] : [],
      ),
      onBegin: (venue, subscriptions, at) => unnamedPast?.begins(venue, subscriptions, at),
      onNothing: (venue, subscriptions) => {
        for (const subscription of subscriptions) unnamedPast?.forgetStream(venue, subscription);
        for (const { id, feed } of this.#connections) if (id === venue) feed.nothingBefore(subscriptions);
      },
      onFailed: (error) => this.#failure.reject(error),
    });
    await this.#recollection.first(starting);
    for (const connection of this.#connections) connection.connect();
    // What the disk holds is sent, and leaves it, once it has been looked through.
    this.#publishing = spilled
      .then(() => this.#publisher.run(signal))
      .then(() => void (this.#isPublished = true))
      .catch((error: unknown) => this.#failure.reject(error));
  }

  /** The inputs are over: a venue that closes now has ended. */
  expectEnd(): void {
    for (const connection of this.#connections) connection.expectEnd();
  }

  /** Closes the connections from our side. */
  async disconnect(): Promise<void> {
    this.#closedAt ??= wallClock();
    await Promise.all(this.#connections.map((connection) => connection.close()));
  }

  /**
   * Resolves when every connection has ended and all that was received is in the log, or, once `deadline` aborts, where
   * it survives this process.
   */
  async drain(deadline?: AbortSignal): Promise<void> {
    await Promise.all(this.#connections.map((connection) => connection.gone));
    clearInterval(this.#closings);
    const stopReading = () => this.#endOfPast.abort();
    const patience = setTimeout(stopReading, this.#publisher.status.consecutiveErrors > 0 ? 0 : PAST_AT_END_MS);
    deadline?.addEventListener('abort', stopReading, { once: true });
    if (deadline?.aborted) stopReading();
    await this.#recollection?.done();
    clearTimeout(patience);
    for (const connection of this.#connections) connection.feed.finish(wallClock());
    this.#publisher.end(deadline);
    await this.#publishing;
    // The gaps that name the past are in the log or on the disk; where no frame came, no record hides it.
    for (const { id } of this.#connections) this.#unnamedPast?.forget(id);
    this.#leaveWord();
    deadline?.removeEventListener('abort', stopReading);
  }

  status(): IngestionStatus {
    const venues = [...Map.groupBy(this.#connections, ({ id }) => id)];
    const statuses = venues.map(([id, connections]) => [id, venueStatus(connections)] as const);
    return { publisher: this.#publisher.status, venues: Object.fromEntries(statuses) };
  }

  #newPublisher(): Publisher {
    const { log, buffer, pausing = PAUSING, hooks = {} } = this.#options;
    const onFault = (error: MarketDataError) => hooks.onFault?.(error);
    if (buffer !== undefined) {
      const { onPublished } = hooks;
      const onGapStored = (gap: Gap) => this.#unnamedPast?.stored(gap);
      return new BufferedPublisher({ log, ...buffer, onFault, onGapStored, ...(onPublished && { onPublished }) });
    }
    const onPressure = (pause: boolean) => {
      for (const connection of this.#connections) connection.pause(pause);
    };
    return new FramePublisher({ log, ...pausing, onPressure, onFault });
  }

  #openUnnamedPast(folder: string): UnnamedPast {
    const { venues, hooks = {} } = this.#options;
    const onFault = (error: MarketDataError) => hooks.onFault?.(error);
    const inputs = [...Map.groupBy(venues, ({ driver }) => driver.id)];
    const pasts = inputs.map(([id, ofVenue]) => {
      const hours = ofVenue[0]?.driver ?? {};
      return [id, { subscriptions: ofVenue.flatMap((each) => each.subscriptions), hours }] as const;
    });
    return new UnnamedPast({ folder, venues: new Map(pasts), onFault });
  }

  #watchClosings(listenedUntil: ListenedUntil): void {
    const venues = [...Map.groupBy(this.#options.venues, ({ driver }) => driver.id)].map(([id, inputs]) => {
      const feeds = this.#connections.filter((connection) => connection.id === id).map(({ feed }) => feed);
      return { id, hours: inputs[0]?.driver ?? {}, feeds };
    });
    const word = new ClosingWord({ venues, publisher: this.#publisher, listenedUntil });
    this.#closings = setInterval(() => word.look(wallClock()), CLOSING_EVERY_MS).unref();
    this.#options.signal.addEventListener('abort', () => clearInterval(this.#closings), { once: true });
  }

  #connection(input: VenueInput): VenueConnection {
    const { signal, hooks = {} } = this.#options;
    const { id } = input.driver;
    return new VenueConnection(
      input,
      {
        onUnit: (unit) => this.#offer(unit),
        onLeave: (leaving) => this.#recollection?.leaveGiven(input, leaving),
        onClosed: () => this.#sent(id),
        onState: (change) => hooks.onState?.(id, change),
        onSilent: (symbols) => hooks.onSilent?.(id, symbols),
        onRefused: (...setback) => hooks.onRefused?.(id, ...setback),
        onUnanswered: (...setback) => hooks.onUnanswered?.(id, ...setback),
        onFull: (error) => hooks.onFull?.(id, error),
        onPastWhole: (subscription) => this.#unnamedPast?.forgetStream(id, subscription),
        onStale: (streams) => hooks.onStale?.(id, streams),
        onTrading: (news) => hooks.onTrading?.(id, news),
        onNotices: (notices) => this.#noticed(id, notices),
        onFailed: (error) => this.#venueFailed(input, error),
      },
      signal,
    );
  }

  #offer(unit: FrameUnit): void {
    this.#publisher.offer(unit);
    const onProcessed = this.#options.hooks?.onProcessed;
    const first = unit.events[0];
    if (onProcessed !== undefined && first !== undefined && first.kind !== 'gap') onProcessed(first.receivedTimestamp);
  }

  /** Connections and reconnects notice the same again and again; the counts have each. */
  #noticed(venue: string, notices: readonly string[]): void {
    for (const notice of notices) {
      const name = `${venue} ${notice}`;
      if (this.#toldNotices.has(name) || this.#toldNotices.size >= MAX_NOTICES) continue;
      this.#toldNotices.add(name);
      this.#options.hooks?.onNotice?.(venue, notice);
    }
  }

  /** Final for the connection. The rest goes on while there is any; a replay is one piece. */
  #venueFailed(input: VenueInput, error: MarketDataError): void {
    this.#failed.add(input);
    const { id } = input.driver;
    const symbols = [...new Set(input.subscriptions.map(({ symbol }) => symbol))];
    const isLast = this.#options.venues.every((each) => each.driver.id !== id || this.#failed.has(each));
    this.#options.hooks?.onVenueFailed?.(id, error, { symbols, isLast });
    if (input.replay !== undefined || this.#failed.size === this.#connections.length) this.#failure.reject(error);
  }

  /**
   * So that whoever gets the leave next finds the last records in the log. One that is slow or away keeps nobody waiting: what is in
   * memory or on the disk then, the next one takes for missing.
   */
  async #sent(venue: string): Promise<void> {
    const { signal } = this.#options;
    const isWorthIt = () => !signal.aborted && this.#publisher.status.consecutiveErrors === 0;
    for (let waitedMs = 0; waitedMs < SENT_FIRST_MS && isWorthIt(); waitedMs += SENT_LOOK_MS) {
      if (this.#publisher.hasSentAllOf(venue)) return;
      await sleep(SENT_LOOK_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  /** For the next process: until when nothing was missed. Where something may be, it goes by the last record instead. */
  #leaveWord(): void {
    const { lostAtEnd, counts } = this.#publisher.status;
    const closedAt = this.#closedAt;
    if (closedAt === undefined || !this.#isPublished || lostAtEnd > 0 || counts.dropped.shutdown > 0) return;
    const whole = this.#connections.flatMap(({ id, feed }) =>
      feed.wholeUntil(closedAt).map((subscription) => [id, subscription] as const),
    );
    this.#listenedUntil?.save(whole, closedAt);
  }
}
