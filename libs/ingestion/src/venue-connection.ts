import { MarketDataError, type Nanoseconds } from '@aipx/market-model';
import type {
  ConnectionAccess,
  ConnectionPass,
  FrameReading,
  FrameRecord,
  SessionMemory,
  Subscription,
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
import { StreamRequests } from './stream-requests.js';
import type { StreamStatus, SubscriptionState } from './subscription-states.js';
import type { VenueConnectionHooks } from './venue-connection-hooks.js';
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

/** For every venue: a handshake takes two round trips and TLS, tens of milliseconds, seconds on a bad line. */
const HANDSHAKE_TIMEOUT_MS = 10_000;
const HOUSEKEEPING_MS = 1_000;
const OF_NO_DATA: ReadonlySet<SubscriptionState> = new Set(['silent', 'refused', 'unanswered']);
/** A venue that lets us in and drops us again does so within seconds. */
const STOOD: Nanoseconds = 300_000_000_000n;

/**
 * One venue's socket and its feed: passes frames one way, requests and refusals the other. Connects once, then stays, but for the
 * hours in which its driver wants no connection.
 */
export class VenueConnection {
  readonly input: VenueInput;
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
  #requests: StreamRequests | undefined;
  #error: MarketDataError | undefined;
  #ending = false;
  #isResting = false;
  /** Resolves when a leave whose use we have ended is given back. */
  #givingBack: Promise<void> = Promise.resolve();
  /** Resolves when the socket that a rest has ended is gone, and its leave is given back. */
  #asleep: Promise<unknown> = Promise.resolve();
  #endOfPass: () => void = () => undefined;
  /** Codes that were told to be silent, of the present connection. */
  #toldSilent: ReadonlySet<string> = new Set();
  #hasDelivered = false;
  #isPaused = false;

  /** @throws {MarketDataError} `CONFIG_INVALID`, naming venue and value and what would be right */
  constructor(input: VenueInput, hooks: VenueConnectionHooks, signal: AbortSignal, clock: Clock = wallClock) {
    const { driver, subscriptions, bookDepth = driver.defaults.bookDepth, replay, memory } = input;
    checkDepth(driver, bookDepth);
    this.input = input;
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
    const prepare = (leaving: AbortSignal) => hooks.onLeave?.(leaving);
    this.#access = input.access && new AccessGate(input.access, turns, prepare, signal);
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

  /** Resolves when the connection has ended and will not come back, and its leave is given back. */
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
    await this.#givingBack;
  }

  pause(paused: boolean): void {
    this.#isPaused = paused;
    if (paused) this.#socket.pause();
    else this.#socket.resume();
    this.#requests?.pause(paused);
  }

  /** Each subscribed stream and whether data came on the present connection. */
  streams(): readonly StreamStatus[] {
    return this.feed.states.list(this.#clock());
  }

  /** Codes of which nothing came, once the venue has had time to answer, though it has not refused them. */
  silentSymbols(): readonly string[] {
    if (this.#isReplay || this.#socket.state !== 'CONNECTED') return [];
    const streams = this.streams();
    const speaking = new Set(streams.filter(({ state }) => !OF_NO_DATA.has(state)).map(({ symbol }) => symbol));
    const silent = new Set(streams.filter(({ state }) => state !== 'refused').map(({ symbol }) => symbol));
    return [...silent].filter((symbol) => !speaking.has(symbol));
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
    this.#asleep = this.#socket.close().then(() => this.#givingBack);
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
    this.#requests = new StreamRequests({
      session: this.feed.opened(connection.id, this.#clock(), pass?.secret),
      defaults: this.#driver.defaults,
      feed: this.feed,
      hooks: this.#hooks,
      send: (text) => connection.send(text),
      clock: this.#clock,
    });
    this.#requests.pause(this.#isPaused);
    this.#requests.begin();
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
        if (reading.news !== undefined) this.#requests?.answered(reading.news);
        if (isSignOfLife(reading)) this.#confirmTalk();
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
    this.#requests?.end();
    this.#requests = undefined;
    this.#endOfPass();
    this.#endOfPass = () => undefined;
    if (trigger === 'close') this.#givingBack = this.#giveBack();
    else if (trigger === 'failed') this.#givingBack = this.#giveBackFailed(error);
    else this.#access?.left(error, false);
  }

  /** Not before the venue has seen the end: whoever gets the leave next would meet a session that still stands. */
  async #giveBack(): Promise<void> {
    const isAnswered = await this.#socket.close();
    if (this.#access?.pass === undefined) return;
    await this.#hooks.onClosed?.();
    this.#access.left(isAnswered ? undefined : closeUnanswered(this.#driver.id), true);
  }

  /** Whatever the venue has refused: what came before may be on its way to the log. */
  async #giveBackFailed(error: MarketDataError | undefined): Promise<void> {
    if (this.#access?.pass === undefined) return;
    await this.#hooks.onClosed?.();
    this.#access.left(error, true);
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
    this.feed.givenUp(at);
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
    if (stale.length > 0) {
      this.#hooks.onStale?.(stale);
      this.#requests?.renew(stale);
    }
    const silent = this.silentSymbols().filter((symbol) => !this.#toldSilent.has(symbol));
    if (silent.length === 0) return;
    this.#toldSilent = new Set([...this.#toldSilent, ...silent]);
    this.#hooks.onSilent(silent);
  }

  #end(): void {
    clearInterval(this.#housekeeping);
    void this.#givingBack.then(() => this.#gone.resolve(undefined));
  }
}

/** A heartbeat that wants its answer, or a stream that stands. A refusal is neither. */
function isSignOfLife({ news, reply }: Extract<FrameReading, { kind: 'control' }>): boolean {
  return news === undefined ? reply !== undefined : news.answer === 'stands';
}

/** Venues answer a depth they do not offer with another one, without a word. */
function checkDepth({ id, defaults }: VenueDriver, depth: number): void {
  if (defaults.bookDepths.includes(depth)) return;
  const offered = defaults.bookDepths.join(', ');
  throw new MarketDataError('CONFIG_INVALID', `${id} has no books of ${depth} levels; it offers ${offered}`);
}
