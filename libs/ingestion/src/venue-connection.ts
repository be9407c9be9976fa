import { MarketDataError, type Nanoseconds } from '@aipx/market-model';
import type { FrameRecord, Subscription, VenueDriver } from '@aipx/venue';
import {
  ConnectLimiter,
  ReconnectingWebSocket,
  wallClock,
  type Clock,
  type ConnectionState,
  type StateChange,
  type WebSocketConnection,
} from '@aipx/websocket-client';
import { connectionSettings, type ConnectionOverrides } from './connection-settings.js';
import type { FrameUnit } from './frame-unit.js';
import type { StreamStatus } from './subscription-states.js';
import { VenueFeed } from './venue-feed.js';

/** Reconnects, keepalives and silence are the driver's unless they are set here. */
export interface VenueInput extends ConnectionOverrides {
  readonly driver: VenueDriver;
  readonly websocketUrl: string;
  readonly subscriptions: readonly Subscription[];
  /** @default the driver's */
  readonly bookDepth?: number;
  /** One for all that connects to the venue from this process. @default one of its own, with the driver's limit */
  readonly connectLimiter?: ConnectLimiter;
  /** Set when the venue plays a recorded source: its identity, and how many of its frames are done. */
  readonly replay?: { readonly source: string; readonly framesDone: number };
}

export interface VenueConnectionHooks {
  readonly onUnit: (unit: FrameUnit) => void;
  readonly onState: (change: StateChange) => void;
  /** Subscribed codes of which nothing came on this connection within the time the venue takes to answer. */
  readonly onSilent: (symbols: readonly string[]) => void;
  /** Streams that were regular and have fallen silent among busy ones. Once for each time. */
  readonly onStale?: (streams: readonly Subscription[]) => void;
  /** The connection will not come back. */
  readonly onFailed: (error: MarketDataError) => void;
}

/** For every venue: a handshake takes two round trips and TLS, tens of milliseconds, seconds on a bad line. */
const HANDSHAKE_TIMEOUT_MS = 10_000;
const HOUSEKEEPING_MS = 1_000;

/** One venue's socket and its feed: passes frames one way, requests and refusals the other. Connects once, then stays. */
export class VenueConnection {
  readonly feed: VenueFeed;
  readonly #driver: VenueDriver;
  readonly #hooks: VenueConnectionHooks;
  readonly #clock: Clock;
  readonly #isReplay: boolean;
  readonly #socket: ReconnectingWebSocket;
  readonly #gone = Promise.withResolvers<undefined>();
  #housekeeping: NodeJS.Timeout | undefined;
  #since: Nanoseconds;
  #opened = 0;
  #error: MarketDataError | undefined;
  #ending = false;
  #silenceReported = false;
  #hasDelivered = false;

  /** @throws {MarketDataError} `CONFIG_INVALID`, naming venue and value and what would be right */
  constructor(input: VenueInput, hooks: VenueConnectionHooks, signal: AbortSignal, clock: Clock = wallClock) {
    const { driver, subscriptions, bookDepth = driver.defaults.bookDepth, replay } = input;
    checkDepth(driver, bookDepth);
    this.#driver = driver;
    this.#hooks = hooks;
    this.#clock = clock;
    this.#since = clock();
    this.#isReplay = replay !== undefined;
    this.feed = new VenueFeed({ driver, subscriptions, bookDepth, onUnit: hooks.onUnit, ...(replay && { replay }) });
    this.#socket = new ReconnectingWebSocket({
      url: input.websocketUrl,
      handshakeTimeoutMs: HANDSHAKE_TIMEOUT_MS,
      ...connectionSettings(driver, input),
      limiter: input.connectLimiter ?? new ConnectLimiter(driver.defaults.connectLimit),
      signal,
      clock,
      onOpen: (connection) => this.#subscribe(connection),
      onFrame: (bytes, receivedAt) => this.#frame(bytes, receivedAt),
      onState: (change) => this.#stateChanged(change),
    });
  }

  get id(): string {
    return this.#driver.id;
  }

  get state(): ConnectionState {
    return this.#socket.state;
  }

  /** When the present state began. */
  get since(): Nanoseconds {
    return this.#since;
  }

  /** How often a lost connection was replaced by a new one. */
  get reconnects(): number {
    return Math.max(0, this.#opened - 1);
  }

  /** Why there is no connection, of `RECONNECTING` and `FAILED`. */
  get error(): MarketDataError | undefined {
    return this.#error;
  }

  /** Resolves when the connection has ended and will not come back. */
  get gone(): Promise<unknown> {
    return this.#gone.promise;
  }

  /** Begins to be connected; every outcome is told by the hooks. Again, or after `close` or its end, does nothing. */
  connect(): void {
    if (this.#ending || this.#housekeeping !== undefined) return;
    this.#housekeeping = setInterval(() => this.#housekeep(), HOUSEKEEPING_MS).unref();
    // Not reached: it failed, was closed, or was told to stop before it began, of which no state change tells.
    this.#socket.connect().catch(() => this.#end());
  }

  /** The input is over: when the venue closes now, that is the end and not a loss. */
  expectEnd(): void {
    this.#ending = true;
    if (this.#socket.state !== 'CONNECTED') void this.close();
  }

  async close(): Promise<void> {
    this.#ending = true;
    await this.#socket.close();
    this.#end();
  }

  pause(paused: boolean): void {
    if (paused) this.#socket.pause();
    else this.#socket.resume();
  }

  /** Each subscribed stream and whether data came on the present connection. */
  streams(): readonly StreamStatus[] {
    return this.feed.states.list(this.#clock());
  }

  /** Codes of which nothing came, once the venue has had time to answer. */
  silentSymbols(): readonly string[] {
    if (this.#isReplay || this.#socket.state !== 'CONNECTED') return [];
    const streams = this.streams();
    const speaking = new Set(streams.filter(({ state }) => state !== 'silent').map(({ symbol }) => symbol));
    return [...new Set(streams.map(({ symbol }) => symbol))].filter((symbol) => !speaking.has(symbol));
  }

  #subscribe(connection: WebSocketConnection): void {
    this.#silenceReported = false;
    this.#hasDelivered = false;
    for (const text of this.feed.opened(connection.id, this.#clock())) connection.send(text);
  }

  #frame(bytes: Uint8Array, receivedAt: bigint): void {
    const reading = this.feed.frame(bytes, receivedAt);
    // Whoever was told of the frame may have ended the connection.
    if (this.#socket.state !== 'CONNECTED') return;
    switch (reading.kind) {
      case 'data':
        if (!this.#hasDelivered) this.#confirm(reading.records);
        break;
      case 'control':
        if (reading.reply !== undefined) this.#socket.send(reading.reply);
        break;
      case 'refusal':
        this.#socket.refuse(reading.error);
        break;
    }
  }

  /** What cannot be read is no sign that the venue is well. */
  #confirm(records: readonly FrameRecord[]): void {
    if (records.every(({ outcome }) => outcome === 'rejected')) return;
    this.#hasDelivered = true;
    this.#socket.confirmData();
  }

  #stateChanged(change: StateChange): void {
    if (change.from !== change.to) this.#since = change.at;
    if (change.trigger === 'opened') this.#opened += 1;
    this.#error = change.error;
    const isEnd = change.trigger === 'lost' && this.#ending;
    if (!isEnd) this.#hooks.onState(change);
    if (change.trigger === 'lost') this.#lost(change.error);
    if (change.trigger === 'failed') this.#failed(change.error);
    if (change.trigger === 'close') this.#end();
  }

  #lost(error: MarketDataError | undefined): void {
    if (this.#ending) {
      void this.close();
    } else if (this.#isReplay && error !== undefined) {
      // Frames on their way are gone, and with them the count of frames that is the position in the source. What is
      // published stands; the next run goes on behind it.
      this.#hooks.onFailed(error);
      void this.close();
    } else {
      this.feed.lost();
    }
  }

  #failed(error: MarketDataError | undefined): void {
    this.feed.lost();
    this.#end();
    if (error !== undefined) this.#hooks.onFailed(error);
  }

  #housekeep(): void {
    this.feed.tick(this.#clock());
    const stale = this.feed.states.newlyStale();
    if (stale.length > 0) this.#hooks.onStale?.(stale);
    if (this.#silenceReported) return;
    const silent = this.silentSymbols();
    if (silent.length === 0) return;
    this.#silenceReported = true;
    this.#hooks.onSilent(silent);
  }

  #end(): void {
    clearInterval(this.#housekeeping);
    this.#gone.resolve(undefined);
  }
}

/** Venues answer a depth they do not offer with another one, without a word. */
function checkDepth({ id, defaults }: VenueDriver, depth: number): void {
  if (defaults.bookDepths.includes(depth)) return;
  const offered = defaults.bookDepths.join(', ');
  throw new MarketDataError('CONFIG_INVALID', `${id} has no books of ${depth} levels; it offers ${offered}`);
}
