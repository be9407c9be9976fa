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
  /** The host cuts the connection, without a close frame, after this much silence from the client, ms. */
  readonly idleLimitMs: number;
  /** The protocol of one connection. Codes outside of `listed` are treated as the venue treats unknown codes. */
  accept(client: SimulatedClient, listed: ReadonlySet<string>): SimulatedConnection;
  /** Answers a GET request below `apiPath`, errors of the venue included. */
  rest(request: RestRequest): RestAnswer;
  /** An endless seeded market. */
  market(options: MarketOptions): SimulatedMarket;
  /** Whether a recorded frame is market data; the player leaves out the rest (heartbeats, errors). */
  isData(frame: string): boolean;
  /** The codes in a recorded data frame; empty when it cannot be read. */
  symbolsIn(frame: string): readonly string[];
}

/** One connected client, as the protocol sees it. */
export interface SimulatedClient {
  /** Protocol talk (heartbeats, errors): not market data, not counted as sent. Never waits. */
  control(text: string): void;
  close(code: number): void;
  /** Runs `action` after `delayMs` unless the connection has ended. */
  later(delayMs: number, action: () => void): void;
}

export interface SimulatedConnection {
  onText(text: string): void;
  /** Whether a subscription was accepted, even one of unknown codes only. */
  readonly subscribed: boolean;
  /** The real-time streams this client is owed now. A new array whenever they change. */
  readonly streams: readonly Subscription[];
  /** The snapshots a new subscription is owed before its real-time data. Cleared by the call. */
  takeSnapshotRequests(): readonly Subscription[];
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
  /** The next real-time event of a stream. The event is valid until the next call. */
  next(stream: Subscription): SimulatedEvent;
  /** The present state of a stream. The event is valid until the next call. */
  snapshot(stream: Subscription): SimulatedEvent;
}

/** A market event before it is put into a client's format. */
export interface SimulatedEvent {
  readonly symbol: string;
  readonly channel: Subscription['channel'];
  readonly snapshot: boolean;
  /** The trade's id, or the book's time in ms: what an auditor finds it by. */
  readonly reference: string;
  /** The venue's own. */
  readonly payload: unknown;
}

export interface RestRequest {
  readonly path: string;
  readonly query: URLSearchParams;
  readonly listed: ReadonlySet<string>;
}

export interface RestAnswer {
  readonly status: number;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}
