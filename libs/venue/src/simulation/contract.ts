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
  /** Every code the simulated venue knows; others are treated as the venue treats unknown codes. */
  readonly symbols: readonly string[];
  /** What `npm start` subscribes to when nobody says anything: a handful of busy markets. */
  readonly defaultSymbols: readonly string[];
  /** Closes the connection without a close frame after this much silence from the client, ms. */
  readonly idleLimitMs: number;
  /** The protocol of one connection. */
  accept(client: SimulatedClient): SimulatedConnection;
  /** Answers a REST request, or `undefined` for 404. */
  rest(request: { readonly path: string; readonly query: URLSearchParams }): RestAnswer | undefined;
  /** An endless seeded market. `now` is wall-clock ms; ids never repeat across runs. */
  market(options: MarketOptions): SimulatedMarket;
  /** Whether a recorded frame is market data; the player leaves out the rest (heartbeats, errors). */
  isData(frame: Uint8Array): boolean;
  /** The codes in a recorded data frame; empty when it cannot be read. */
  symbolsIn(frame: Uint8Array): readonly string[];
}

/** One connected client, as the protocol sees it. */
export interface SimulatedClient {
  /** Protocol talk (heartbeats, errors): not market data, not counted as sent. Never waits. */
  control(text: string, binary?: boolean): void;
  close(code: number, reason?: string): void;
  /** Runs `action` after `delayMs` unless the connection has ended. */
  later(delayMs: number, action: () => void): void;
}

export interface SimulatedConnection {
  onText(text: string): void;
  /** What is subscribed now; the host streams market data accordingly. */
  readonly subscriptions: readonly Subscription[];
  /** How an event of the market looks to this client (its format, depth and flags), or `undefined`: not subscribed. */
  frame(event: SimulatedEvent): Uint8Array | undefined;
  /** Snapshots that a new subscription is owed before real-time data; cleared by the call. */
  takeSnapshotRequests(): readonly Subscription[];
}

export interface MarketOptions {
  readonly seed: number;
  readonly symbols: readonly string[];
  readonly now: () => number;
}

export interface SimulatedMarket {
  /** The next event. `tradeShare` of them are trades. Mutates the market. */
  next(): SimulatedEvent;
  /** The present state of one stream as a snapshot event, if there is one. */
  snapshot(subscription: Subscription): SimulatedEvent | undefined;
}

/** A market event before it is put into a client's format. `payload` is the venue's own. */
export interface SimulatedEvent {
  readonly symbol: string;
  readonly channel: Subscription['channel'];
  readonly snapshot: boolean;
  readonly payload: unknown;
}

export interface RestAnswer {
  readonly status: number;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}
