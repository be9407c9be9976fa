import { MarketDataError } from '@aipx/market-model';
import type { Subscription, VenueDriver } from '@aipx/venue';
import { ReconnectingWebSocket, wallClock, type StateChange } from '@aipx/websocket-client';
import type { FrameUnit } from './frame-unit.js';
import type { StreamStatus } from './subscription-states.js';
import { VenueFeed } from './venue-feed.js';

export interface VenueInput {
  readonly driver: VenueDriver;
  readonly websocketUrl: string;
  readonly subscriptions: readonly Subscription[];
  /** @default the driver's */
  readonly bookDepth?: number;
  /** Set when the venue plays a recorded source: its identity, and how many of its frames are done. */
  readonly replay?: { readonly source: string; readonly framesDone: number };
}

export interface VenueConnectionHooks {
  readonly onUnit: (unit: FrameUnit) => void;
  readonly onState: (change: StateChange) => void;
  /** Subscribed codes of which nothing came on this connection within the time the venue takes to answer. */
  readonly onSilent: (symbols: readonly string[]) => void;
  /** The connection will not come back. */
  readonly onFailed: (error: MarketDataError) => void;
}

const HANDSHAKE_TIMEOUT_MS = 10_000;
const HOUSEKEEPING_MS = 1_000;

/** One venue's socket and its feed: passes frames one way, requests and refusals the other. */
export class VenueConnection {
  readonly feed: VenueFeed;
  readonly #driver: VenueDriver;
  readonly #hooks: VenueConnectionHooks;
  readonly #isReplay: boolean;
  readonly #socket: ReconnectingWebSocket;
  readonly #gone = Promise.withResolvers<undefined>();
  #housekeeping: NodeJS.Timeout | undefined;
  #ending = false;
  #silenceReported = false;

  constructor(input: VenueInput, hooks: VenueConnectionHooks, signal: AbortSignal) {
    const { driver, subscriptions, bookDepth = driver.defaults.bookDepth, replay } = input;
    checkDepth(driver, bookDepth);
    this.#driver = driver;
    this.#hooks = hooks;
    this.#isReplay = replay !== undefined;
    this.feed = new VenueFeed({ driver, subscriptions, bookDepth, onUnit: hooks.onUnit, ...(replay && { replay }) });
    const { keepAlive, reconnect, silenceTimeoutMs } = driver.defaults;
    this.#socket = new ReconnectingWebSocket({
      url: input.websocketUrl,
      handshakeTimeoutMs: HANDSHAKE_TIMEOUT_MS,
      keepAlive,
      silenceTimeoutMs,
      reconnect,
      signal,
      onOpen: (connection) => {
        this.#silenceReported = false;
        for (const text of this.feed.opened(connection.id, wallClock())) connection.send(text);
      },
      onFrame: (bytes, receivedAt) => this.#frame(bytes, receivedAt),
      onState: (change) => this.#stateChanged(change),
    });
  }

  get id(): string {
    return this.#driver.id;
  }

  get state(): string {
    return this.#socket.state;
  }

  /** Resolves when the connection has ended and will not come back. */
  get gone(): Promise<unknown> {
    return this.#gone.promise;
  }

  /** Begins to be connected; every outcome is told by the hooks. */
  connect(): void {
    this.#housekeeping = setInterval(() => this.#housekeep(), HOUSEKEEPING_MS).unref();
    this.#socket.connect().catch(() => undefined);
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
    return this.feed.states.list(wallClock());
  }

  /** Codes of which nothing came, once the venue has had time to answer. */
  silentSymbols(): readonly string[] {
    if (this.#isReplay || this.#socket.state !== 'CONNECTED') return [];
    const streams = this.streams();
    const speaking = new Set(streams.filter(({ state }) => state !== 'silent').map(({ symbol }) => symbol));
    return [...new Set(streams.map(({ symbol }) => symbol))].filter((symbol) => !speaking.has(symbol));
  }

  #frame(bytes: Uint8Array, receivedAt: bigint): void {
    const reading = this.feed.frame(bytes, receivedAt);
    switch (reading.kind) {
      case 'data':
        this.#socket.confirmData();
        break;
      case 'control':
        if (reading.reply !== undefined) this.#socket.connection?.send(reading.reply);
        break;
      case 'refusal':
        this.#socket.refuse(reading.error);
        break;
    }
  }

  #stateChanged(change: StateChange): void {
    const isEnd = change.trigger === 'lost' && this.#ending;
    if (!isEnd) this.#hooks.onState(change);
    if (change.trigger === 'lost') this.#lost(change.error);
    if (change.trigger === 'failed') {
      this.#end();
      if (change.error !== undefined) this.#hooks.onFailed(change.error);
    }
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

  #housekeep(): void {
    this.feed.tick(wallClock());
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
