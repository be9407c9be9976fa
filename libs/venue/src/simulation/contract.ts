import type { Subscription } from '../driver.js';

/**
 * The venue's side of its protocol, for tests and first looks. Written from the venue's documentation and the wire,
 * never from our driver: it shares no code with it, else one bug agrees with itself.
 *
 * `@aipx/venue-simulator` hosts it: sockets, pacing, back-pressure, faults and the journal are shared; only the
 * protocol is the venue's.
 */
export interface SimulatedVenue {
  readonly id: string;
  /** Every code the simulated venue has a market for. */
  readonly symbols: readonly string[];
  /** What `npm start` subscribes to when nobody says anything: a handful of busy markets. */
  readonly defaultSymbols: readonly string[];
  /** The paths of the venue's own URLs: `/websocket/v1` and `/v1`. */
  readonly websocketPath: string;
  readonly apiPath: string;
  /** Whether the socket also answers on another path. @default no */
  readonly acceptsPath?: (path: string) => boolean;
  /** How data frames travel. @default binary */
  readonly frameType?: 'binary' | 'text';
  /** The HTTP methods that reach `rest`. @default GET alone */
  readonly apiMethods?: readonly string[];
  /** The host cuts the connection, without a close frame, after this much silence from the client, ms. */
  readonly idleLimitMs: number;
  /** The protocol of one connection. Codes outside of `listed` are treated as the venue treats unknown codes. */
  accept(client: SimulatedClient, listed: ReadonlySet<string>): SimulatedConnection;
  /** Answers a request below `apiPath`, errors of the venue included. */
  rest(request: RestRequest): RestAnswer;
  /** An endless seeded market. */
  market(options: MarketOptions): SimulatedMarket;
  /** Whether a recorded frame is market data; the player leaves out the rest (heartbeats, errors). */
  isData(frame: string): boolean;
  /** The codes in a recorded data frame; empty when it cannot be read. */
  symbolsIn(frame: string): readonly string[];
  /**
   * A fault that only this venue has, in the venue's own words.
   *
   * @throws {MarketDataError} `CONFIG_INVALID` for one that it does not know
   */
  inject?(fault: Readonly<Record<string, unknown>>): void;
  /**
   * A data frame that is broken in one of the venue's own ways. @default a text that is no venue's
   *
   * @throws {MarketDataError} `CONFIG_INVALID` for a kind that it does not know
   */
  brokenFrame?(kind: string | undefined): Uint8Array;
}

/** One stream of a simulated market. */
export interface SimulatedStream extends Subscription {
  /** Where a venue has several markets for one symbol: which of them. */
  readonly segment?: string;
}

/** One connected client, as the protocol sees it. */
export interface SimulatedClient {
  /** Protocol talk (heartbeats, errors): not market data, not counted as sent. Never waits. */
  control(text: string): void;
  /** 1006 ends the connection without a close frame. */
  close(code: number): void;
  /** Runs `action` after `delayMs` unless the connection has ended. */
  later(delayMs: number, action: () => void): void;
}

export interface SimulatedConnection {
  onText(text: string): void;
  /** A pong control frame of the client. */
  onPong?(payload: string): void;
  /** The connection has ended; 1006: without a close frame. */
  onEnd?(code: number): void;
  /** Whether a subscription was accepted, even one of unknown codes only. */
  readonly subscribed: boolean;
  /** The real-time streams this client is owed now. A new array whenever they change. */
  readonly streams: readonly SimulatedStream[];
  /** The snapshots a new subscription is owed before its real-time data. Cleared by the call. */
  takeSnapshotRequests(): readonly SimulatedStream[];
  /** How an event looks to this client (its format, depth and flags), or `undefined`: not subscribed. */
  frame(event: SimulatedEvent): Uint8Array | undefined;
  /** Refuses the client as the venue does: its error message, then its close. For faults on request. */
  refuse(): void;
}

export interface MarketOptions {
  readonly seed: number;
  /** Wall clock, ms since the epoch. */
  readonly now: () => number;
  /** Never twice the same, not even across runs: what trade ids are made of. */
  readonly nextStamp: () => TradeStamp;
  /** What counts up over a day goes on from here. @default every market begins anew */
  readonly counters?: MarketCounters;
}

/** Counters that never fall behind, not even across runs, killed ones included: what ids made of a day's volume need. */
export interface MarketCounters {
  /**
   * What a counter may have reached before this market began; 0 for a new one.
   *
   * @param period in which it counts, such as a date; a later one, by the order of text, begins all counters anew
   */
  reached(period: string, name: string): number;
  /** To be called with a counter's value before anybody sees it. */
  raise(period: string, name: string, value: number): void;
}

/** A wall-clock ms (possibly a little ahead) and a counter from 0 to 9,999 within it. */
export interface TradeStamp {
  readonly millis: number;
  readonly counter: number;
}

/**
 * A market whose streams go on only when asked. Each symbol walks on its own, so the same seed and the same calls for
 * a symbol give the same prices and sizes, whatever happens to other symbols.
 */
export interface SimulatedMarket {
  /** The next real-time event of a stream, or `undefined` while it rests. The event is valid until the next call. */
  next(stream: SimulatedStream): SimulatedEvent | undefined;
  /** The present state of a stream. The event is valid until the next call. */
  snapshot(stream: SimulatedStream): SimulatedEvent;
}

/** A market event before it is put into a client's format. */
export interface SimulatedEvent {
  readonly symbol: string;
  readonly channel: Subscription['channel'];
  readonly segment?: string;
  readonly snapshot: boolean;
  /** The trade's id, or the book's time in ms: what an auditor finds it by. */
  readonly reference: string;
  /** Where a frame carries several records, repeats some or leaves some out: each of them, in order. */
  readonly records?: readonly SimulatedRecord[];
  /** The venue's own. */
  readonly payload: unknown;
}

/** What became of one record of the market, for an auditor. */
export interface SimulatedRecord {
  readonly reference: string;
  /** Of this trade, and of the session up to and with it. */
  readonly volume: number;
  readonly cumulative: number;
  readonly fate: 'sent' | 'repeated' | 'lost';
}

export interface RestRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Empty for a GET request. */
  readonly body: string;
  readonly listed: ReadonlySet<string>;
}

export interface RestAnswer {
  readonly status: number;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}
