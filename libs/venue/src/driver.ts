import type {
  Channel,
  ConnectLimit,
  KeepAlive,
  MarketDataError,
  Nanoseconds,
  OrderBook,
  ReconnectPolicy,
  Tick,
} from '@aipx/market-model';

/** One stream asked of a venue. */
export interface Subscription {
  /** The venue's own code, upper case. */
  readonly symbol: string;
  readonly channel: Channel;
}

/**
 * What differs between venues, and nothing else. Connecting, buffering, counting and gaps are shared code, which never
 * asks which venue it serves. Everything here is pure: no socket, clock or random source.
 */
export interface VenueDriver {
  /** `upbit`: the `exchange` field of every event, and the prefix of the venue's settings. */
  readonly id: string;
  readonly defaults: VenueDefaults;
  /**
   * The symbol as the venue spells it.
   *
   * @throws {MarketDataError} `CONFIG_SYMBOL`, naming the text and what would be right (`BTC-KRW`: did you mean `KRW-BTC`?)
   */
  parseSymbol(raw: string): string;
  /**
   * Where the venue lists its symbols, below the API URL. Absent where it has no such list. `read` throws a
   * `MarketDataError` `VALIDATION_SYMBOL` when the answer is no such list.
   */
  readonly symbolList?: { readonly path: string; read(body: string): readonly string[] };
  /** One connection's protocol: made anew for each connection, so nothing of an old one leaks into the next. */
  openSession(options: SessionOptions): VenueSession;
}

export interface SessionOptions {
  readonly subscriptions: readonly Subscription[];
  /** Levels a side; one of `defaults.bookDepths`. */
  readonly bookDepth: number;
  /** Made by the caller for each connection, so that the session has no random source. */
  readonly connectionId: string;
}

export interface VenueSession {
  /** What to send when the socket is open, in order. Always the full subscription. */
  readonly opening: readonly string[];
  /** What one received frame says. Never throws: what cannot be read is a `rejected` record with its reason. */
  read(frame: Uint8Array, receivedAt: Nanoseconds): FrameReading;
}

export type FrameReading =
  /** Market data. One frame may carry several records; a frame that cannot be decoded is one rejected record. */
  | { readonly kind: 'data'; readonly records: readonly FrameRecord[] }
  /** Protocol talk without market data. `reply` is to be sent back at once. */
  | { readonly kind: 'control'; readonly reply?: string }
  /** The venue refuses what was asked. `error.retryable` says whether connecting again can help. */
  | { readonly kind: 'refusal'; readonly error: MarketDataError };

export type FrameRecord =
  | { readonly outcome: 'event'; readonly event: Tick | OrderBook }
  /** Sound data of a symbol or channel that was not subscribed. */
  | { readonly outcome: 'ignored'; readonly symbol: string }
  /** Empty symbol and absent channel: not even those could be read. */
  | {
      readonly outcome: 'rejected';
      readonly symbol: string;
      readonly channel: Channel | undefined;
      readonly error: MarketDataError;
    };

export interface VenueDefaults {
  readonly websocketUrl: string;
  readonly apiUrl: string;
  readonly reconnect: ReconnectPolicy;
  /** Attempts to connect that the venue allows one address, all connections together. */
  readonly connectLimit: ConnectLimit;
  /** Absent where the venue wants no pings: it sends its own, which the session answers. */
  readonly keepAlive?: KeepAlive;
  /** Longest silence of the whole connection, ms, before it counts as dead. */
  readonly silenceTimeoutMs: number;
  /** How long, ms, the first record of a subscription may take before the code counts as silent. */
  readonly firstRecordWithinMs: number;
  /**
   * Shortest silence of one stream among busy ones, ms, that may count as a fault; a stream with longer pauses of its own
   * is given more. Absent where trading rests (sessions, auctions), so that silence tells nothing.
   */
  readonly staleAfterMs?: number;
  /** Depths the venue offers, ascending. */
  readonly bookDepths: readonly number[];
  readonly bookDepth: number;
}
