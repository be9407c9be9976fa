import { MarketDataError, type Nanoseconds } from '@aipx/market-model';
import type {
  ConnectionAccess,
  ConnectionPass,
  FrameReading,
  FrameRecord,
  SessionMemory,
  Subscription,
  TradingNews,
  VenueDriver,
} from '@aipx/venue';
import {
  ConnectLimiter,
  ReconnectingWebSocket,
  wallClock,
  type Clock,
  type ConnectionState,
  type StateChange,
  type WebSocketConnection,
} from '@aipx/websocket-client';
import { AccessGate, closeUnanswered, leaveLost } from './access-gate.js';
import { connectionSettings, type ConnectionOverrides } from './connection-settings.js';
import type { FrameUnit } from './frame-unit.js';
import { Outbox } from './outbox.js';
import type { StreamStatus } from './subscription-states.js';
import { VenueFeed, type ReplayPosition } from './venue-feed.js';

/** Reconnects, keepalives and silence are the driver's unless they are set here. */
export interface VenueInput extends ConnectionOverrides {
  readonly driver: VenueDriver;
  readonly websocketUrl: string;
  readonly subscriptions: readonly Subscription[];
  /** @default the driver's */
  readonly bookDepth?: number;
  /** One for all that connects to the venue from this process. @default one of its own, with the driver's limit */
  readonly connectLimiter?: ConnectLimiter;
  /** Gives leave to connect, where the venue wants to be asked. */
  readonly access?: ConnectionAccess;
  /** What the venue's sessions remember; one for all connections to it. */
  readonly memory?: SessionMemory;
  /** Set when the venue plays a recorded source: its identity, and how many of its frames are done. */
  readonly replay?: ReplayPosition;
}

export interface VenueConnectionHooks {
  readonly onUnit: (unit: FrameUnit) => void;
  readonly onState: (change: StateChange) => void;
  /** Subscribed codes of which nothing came on this connection within the time the venue takes to answer. */
  readonly onSilent: (symbols: readonly string[]) => void;
  /** The venue does not send a stream, or no more. Told at each answer. */
  readonly onRefused?: (subscription: Subscription, error: MarketDataError) => void;
  /** Nothing of the stream was missed before this process. */
  readonly onPastWhole?: (subscription: Subscription) => void;
  /** Streams that were regular and have fallen silent among busy ones. Once for each time. */
  readonly onStale?: (streams: readonly Subscription[]) => void;
  /** The venue told of halts, interruptions and changes of session. */
  readonly onTrading?: (news: readonly TradingNews[]) => void;
  /** The venue behaves otherwise than is known of it. */
  readonly onNotices?: (notices: readonly string[]) => void;
  /** The connection will not come back. */
  readonly onFailed: (error: MarketDataError) => void;
}

/** For every venue: a handshake takes two round trips and TLS, tens of milliseconds, seconds on a bad line. */
const HANDSHAKE_TIMEOUT_MS = 10_000;
const HOUSEKEEPING_MS = 1_000;
/** A venue that lets us in and drops us again does so within seconds. */
const STOOD: Nanoseconds = 300_000_000_000n;

/**
 * One venue's socket and its feed: passes frames one way, requests and refusals the other. Connects once, then stays, but for the
 * hours in which its driver wants no connection.
 */
export class VenueConnection {
  readonly feed: VenueFeed;
  readonly #driver: VenueDriver;
  readonly #hooks: VenueConnectionHooks;
  readonly #clock: Clock;
  readonly #isReplay: boolean;
  readonly #signal: AbortSignal;
  readonly #socket: ReconnectingWebSocket;
  readonly #access: AccessGate | undefined;
  readonly #gone = Promise.withResolvers<undefined>();
  #housekeeping: NodeJS.Timeout | undefined;
  #since: Nanoseconds;
  #reconnects = 0;
  /** A connection stood before, and no rest has ended it. */
  #wasOpen = false;
  /** Of the present connection. */
  #outbox: Outbox | undefined;
  #error: MarketDataError | undefined;
  #ending = false;
  #isResting = false;
  /** Resolves when the socket that a rest has ended is gone. */
  #asleep: Promise<unknown> = Promise.resolve();
  #endOfPass: () => void = () => undefined;
  /** Codes that were told to be silent, of the present connection. */
  #toldSilent: ReadonlySet<string> = new Set();
  #hasDelivered = false;

  /** @throws {MarketDataError} `CONFIG_INVALID`, naming venue and value and what would be right */
  constructor(input: VenueInput, hooks: VenueConnectionHooks, signal: AbortSignal, clock: Clock = wallClock) {
    const { driver, subscriptions, bookDepth = driver.defaults.bookDepth, replay, memory } = input;
    checkDepth(driver, bookDepth);
    this.#driver = driver;
    this.#hooks = hooks;
    this.#clock = clock;
    this.#since = clock();
    this.#isReplay = replay !== undefined;
    this.#signal = signal;
    const settings = connectionSettings(driver, input);
    this.feed = new VenueFeed({
      driver,
      subscriptions,
      bookDepth,
      silenceTimeoutMs: settings.silenceTimeoutMs,
      onUnit: hooks.onUnit,
      ...(hooks.onPastWhole && { onPastWhole: hooks.onPastWhole }),
      ...(memory && { memory }),
      ...(replay && { replay }),
    });
    const turns = input.connectLimiter ?? new ConnectLimiter(driver.defaults.connectLimit);
    this.#access = input.access && new AccessGate(input.access, turns, signal);
    this.#socket = new ReconnectingWebSocket({
      url: input.websocketUrl,
      handshakeTimeoutMs: HANDSHAKE_TIMEOUT_MS,
      ...settings,
      gate: this.#access ?? turns,
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
    return this.#reconnects;
  }

  /** Why there is no connection, of `RECONNECTING` and `FAILED`. */
  get error(): MarketDataError | undefined {
    return this.#error;
  }

  /** Not connected on purpose: the driver wants no connection at this time. */
  get isResting(): boolean {
    return this.#isResting;
  }

  /** It waits for another process, which has what this one would take over. */
  get isStandingBy(): boolean {
    return this.#access?.isStandingBy ?? false;
  }

  /** When data comes again, if that is known. */
  get restsUntil(): Nanoseconds | undefined {
    return this.#driver.dataExpectedFrom?.(this.#clock());
  }

  /** Resolves when the connection has ended and will not come back. */
  get gone(): Promise<unknown> {
    return this.#gone.promise;
  }

  /** Begins to be connected; every outcome is told by the hooks. Again, or after `close` or its end, does nothing. */
  connect(): void {
    if (this.#ending || this.#housekeeping !== undefined) return;
    this.#housekeeping = setInterval(() => this.#housekeep(), HOUSEKEEPING_MS).unref();
    this.#signal.addEventListener('abort', () => this.#isResting && this.#end(), { once: true });
    if (this.#isWanted() || this.#signal.aborted) this.#open();
    else this.#rest();
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
    const isHeardOf = ({ state }: StreamStatus) => state !== 'silent' && state !== 'refused';
    const speaking = new Set(streams.filter(isHeardOf).map(({ symbol }) => symbol));
    return [...new Set(streams.map(({ symbol }) => symbol))].filter((symbol) => !speaking.has(symbol));
  }

  #isWanted(): boolean {
    return this.#isReplay || (this.#driver.isConnectionWanted?.(this.#clock()) ?? true);
  }

  #open(): void {
    // Not reached: it failed, was closed, or was told to stop before it began, of which no state change tells.
    this.#socket.connect().catch(() => {
      if (!this.#isResting) this.#end();
    });
  }

  #rest(): void {
    this.#isResting = true;
    this.#wasOpen = false;
    // No socket keeps the process alive meanwhile.
    this.#housekeeping?.ref();
    this.feed.rests(this.#clock());
    this.#asleep = this.#socket.close();
  }

  #wake(): void {
    this.#isResting = false;
    this.#housekeeping?.unref();
    void this.#asleep.then(() => {
      if (!this.#ending && !this.#isResting) this.#open();
    });
  }

  #subscribe(connection: WebSocketConnection): void {
    this.#toldSilent = new Set();
    this.#hasDelivered = false;
    const pass = this.#access?.pass;
    if (pass !== undefined && this.#isLost(pass)) return;
    this.#outbox = new Outbox((text) => connection.send(text), this.#driver.defaults.openingEveryMs ?? 0);
    this.#outbox.say(...this.feed.opened(connection.id, this.#clock(), pass?.secret));
  }

  /** Ends the connection now if its leave is lost, or as soon as it is. */
  #isLost({ lost }: ConnectionPass): boolean {
    const end = () => this.#socket.refuse(leaveLost(this.#driver.id, lost.reason));
    if (lost.aborted) {
      end();
      return true;
    }
    const present = new AbortController();
    this.#endOfPass = () => present.abort();
    lost.addEventListener('abort', end, { once: true, signal: present.signal });
    return false;
  }

  #frame(bytes: Uint8Array, receivedAt: bigint): void {
    const reading = this.feed.frame(bytes, receivedAt);
    if (reading.kind !== 'refusal') {
      if (reading.trading !== undefined) this.#hooks.onTrading?.(reading.trading);
      if (reading.notices !== undefined) this.#hooks.onNotices?.(reading.notices);
    }
    // Whoever was told of the frame may have ended the connection.
    if (this.#socket.state !== 'CONNECTED') return;
    switch (reading.kind) {
      case 'data':
        if (!this.#hasDelivered) this.#confirm(reading.records);
        break;
      case 'control':
        if (reading.news?.error !== undefined) this.#hooks.onRefused?.(reading.news.subscription, reading.news.error);
        if (isSignOfLife(reading)) this.#confirmTalk();
        if (reading.reply !== undefined) this.#reply(reading.reply, reading.replyAfterMs);
        break;
      case 'refusal':
        this.#socket.refuse(reading.error);
        break;
    }
  }

  #reply(text: string, afterMs: number | undefined): void {
    if (afterMs === undefined) this.#socket.send(text);
    else this.#outbox?.sayAfter(text, afterMs);
  }

  /** What cannot be read is no sign that the venue is well. */
  #confirm(records: readonly FrameRecord[]): void {
    if (records.every(({ outcome }) => outcome === 'rejected')) return;
    this.#hasDelivered = true;
    this.#access?.pass?.confirmed();
    this.#socket.confirmData();
  }

  /** While no data is to come, a connection that has stood for a while is all that can show that the venue is well. */
  #confirmTalk(): void {
    this.#access?.pass?.confirmed();
    const now = this.#clock();
    if (this.#driver.isDataExpected?.(now) === false && now - this.#since >= STOOD) this.#socket.confirmData();
  }

  #stateChanged(change: StateChange): void {
    if (change.from !== change.to) this.#since = change.at;
    if (change.trigger === 'opened') {
      if (this.#wasOpen) this.#reconnects += 1;
      this.#wasOpen = true;
    }
    this.#error = change.error;
    if (change.trigger !== 'opened' && change.trigger !== 'connect') this.#left(change);
    const isEnd = change.trigger === 'lost' && this.#ending;
    if (!isEnd) this.#hooks.onState(change);
    if (change.trigger === 'lost') this.#lost(change);
    if (change.trigger === 'failed') this.#failed(change);
    if (change.trigger === 'close' && !this.#isResting) this.#end();
  }

  /** The attempt, or the connection, is over: nothing more is said on it, and whoever gave leave learns how it ended. */
  #left({ trigger, error }: StateChange): void {
    this.#outbox?.end();
    this.#outbox = undefined;
    this.#endOfPass();
    this.#endOfPass = () => undefined;
    if (trigger !== 'close') return this.#access?.left(error, trigger === 'failed');
    // Not before the venue has seen its end: whoever gets the leave next would meet a session that still stands.
    void this.#socket.close().then((isAnswered) => {
      this.#access?.left(isAnswered ? undefined : closeUnanswered(this.#driver.id), true);
    });
  }

  #lost({ error, at }: StateChange): void {
    if (this.#ending) {
      void this.close();
    } else if (this.#isReplay && error !== undefined) {
      // Frames on their way are gone, and with them the count of frames that is the position in the source. What is
      // published stands; the next run goes on behind it.
      this.#hooks.onFailed(error);
      void this.close();
    } else {
      this.feed.lost(at);
    }
  }

  #failed({ error, at }: StateChange): void {
    this.feed.lost(at);
    this.#end();
    if (error !== undefined) this.#hooks.onFailed(error);
  }

  #housekeep(): void {
    if (this.#isWanted() === this.#isResting) {
      if (this.#isResting) this.#wake();
      else this.#rest();
    }
    this.feed.tick(this.#clock());
    const stale = this.feed.states.newlyStale();
    if (stale.length > 0) this.#hooks.onStale?.(stale);
    const silent = this.silentSymbols().filter((symbol) => !this.#toldSilent.has(symbol));
    if (silent.length === 0) return;
    this.#toldSilent = new Set([...this.#toldSilent, ...silent]);
    this.#hooks.onSilent(silent);
  }

  #end(): void {
    clearInterval(this.#housekeeping);
    this.#gone.resolve(undefined);
  }
}

/** A heartbeat that wants its answer now, or a stream that stands. A refusal is neither, nor is asking again for what was refused. */
function isSignOfLife({ news, reply, replyAfterMs }: Extract<FrameReading, { kind: 'control' }>): boolean {
  if (news !== undefined) return news.error === undefined;
  return reply !== undefined && replyAfterMs === undefined;
}

/** Venues answer a depth they do not offer with another one, without a word. */
function checkDepth({ id, defaults }: VenueDriver, depth: number): void {
  if (defaults.bookDepths.includes(depth)) return;
  const offered = defaults.bookDepths.join(', ');
  throw new MarketDataError('CONFIG_INVALID', `${id} has no books of ${depth} levels; it offers ${offered}`);
}
