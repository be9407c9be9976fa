import type { EventLog } from '@aipx/event-log';
import type { MarketDataError } from '@aipx/market-model';
import { wallClock, type StateChange } from '@aipx/websocket-client';
import type { PublishCounts, VenueCounts } from './counts.js';
import { FramePublisher } from './frame-publisher.js';
import { lastReceived, partitionEnds, type PartitionEnd } from './last-received.js';
import type { StreamStatus } from './subscription-states.js';
import { VenueConnection, type VenueInput } from './venue-connection.js';

export interface IngestionOptions {
  readonly log: EventLog;
  readonly venues: readonly VenueInput[];
  /** Ends everything at once; what waits is not published. */
  readonly signal: AbortSignal;
  /** How far, ms, the log is read back for what was last received. @default one hour */
  readonly gapLookbackMs?: number;
  /** @default 5000 frames, 32 MiB, 1000 frames an append, 5 ms */
  readonly limits?: IngestionLimits;
  readonly hooks?: IngestionHooks;
}

export interface IngestionLimits {
  readonly maxWaitingFrames: number;
  readonly maxWaitingBytes: number;
  readonly maxBatchFrames: number;
  readonly lingerMs: number;
}

export interface IngestionHooks {
  readonly onState?: (venue: string, change: StateChange) => void;
  readonly onSilent?: (venue: string, symbols: readonly string[]) => void;
  /** Something failed and is being tried again. */
  readonly onFault?: (error: MarketDataError) => void;
}

export interface IngestionStatus {
  readonly published: PublishCounts;
  readonly venues: Readonly<Record<string, VenueIngestionStatus>>;
}

export interface VenueIngestionStatus {
  readonly state: string;
  readonly counts: Readonly<VenueCounts>;
  readonly silent: readonly string[];
  /** Each subscribed stream: requested, active or silent. */
  readonly streams: readonly StreamStatus[];
}

const LIMITS: IngestionLimits = {
  maxWaitingFrames: 5_000,
  maxWaitingBytes: 32 * 1024 * 1024,
  maxBatchFrames: 1_000,
  lingerMs: 5,
};
const NANOS_PER_MILLI = 1_000_000n;

/** The way from venue sockets to the log. Runs once: `start`, then `expectEnd` or `disconnect`, then `drain`. */
export class Ingestion {
  readonly #options: IngestionOptions;
  readonly #connections: readonly VenueConnection[];
  readonly #publisher: FramePublisher;
  readonly #failure = Promise.withResolvers<never>();
  #publishing: Promise<void> = Promise.resolve();
  #rememberingPast: Promise<unknown> = Promise.resolve();

  constructor(options: IngestionOptions) {
    const { log, venues, signal, hooks = {}, limits = LIMITS } = options;
    this.#options = options;
    this.#failure.promise.catch(() => undefined);
    this.#publisher = new FramePublisher({
      log,
      ...limits,
      onPressure: (pause) => {
        for (const connection of this.#connections) connection.pause(pause);
      },
      onFault: (error) => hooks.onFault?.(error),
    });
    this.#connections = venues.map((input) => this.#connection(input, signal, hooks));
  }

  /** Rejects when the pipeline cannot go on: a venue failed for good, or the log did. Never resolves. */
  get failed(): Promise<never> {
    return this.#failure.promise;
  }

  /** Opens the way to the log first, then the venues, so that nothing received has nowhere to go. */
  async start(): Promise<void> {
    const ends = await partitionEnds(this.#options.log);
    this.#publishing = this.#publisher.run(this.#options.signal).catch((error: unknown) => this.#failure.reject(error));
    for (const connection of this.#connections) connection.connect();
    this.#rememberingPast = Promise.all(
      this.#connections.map((connection, index) => this.#rememberPast(connection, this.#options.venues[index], ends)),
    ).catch((error: unknown) => this.#failure.reject(error));
  }

  /** The inputs are over: a venue that closes now has ended. */
  expectEnd(): void {
    for (const connection of this.#connections) connection.expectEnd();
  }

  /** Closes the connections from our side. */
  async disconnect(): Promise<void> {
    await Promise.all(this.#connections.map((connection) => connection.close()));
  }

  /** Resolves when every connection has ended and all that was received is in the log. */
  async drain(): Promise<void> {
    await Promise.all(this.#connections.map((connection) => connection.gone));
    await this.#rememberingPast;
    for (const connection of this.#connections) connection.feed.finish(wallClock());
    this.#publisher.end();
    await this.#publishing;
  }

  status(): IngestionStatus {
    const venues = this.#connections.map(
      (connection) =>
        [
          connection.id,
          {
            state: connection.state,
            counts: { ...connection.feed.counts },
            silent: connection.silentSymbols(),
            streams: connection.streams(),
          },
        ] as const,
    );
    return { published: { ...this.#publisher.counts }, venues: Object.fromEntries(venues) };
  }

  #connection(input: VenueInput, signal: AbortSignal, hooks: IngestionHooks): VenueConnection {
    const { id } = input.driver;
    return new VenueConnection(
      input,
      {
        onUnit: (unit) => this.#publisher.offer(unit),
        onState: (change) => hooks.onState?.(id, change),
        onSilent: (symbols) => hooks.onSilent?.(id, symbols),
        onFailed: (error) => this.#failure.reject(error),
      },
      signal,
    );
  }

  async #rememberPast(
    connection: VenueConnection,
    input: VenueInput | undefined,
    ends: readonly PartitionEnd[],
  ): Promise<void> {
    if (input === undefined || input.replay !== undefined) return;
    const { log, signal, gapLookbackMs = 3_600_000 } = this.#options;
    const since = wallClock() - BigInt(gapLookbackMs) * NANOS_PER_MILLI;
    const past = await lastReceived(log, ends, connection.id, input.subscriptions, since, signal);
    if (past !== undefined) connection.feed.rememberPast(past);
  }
}
