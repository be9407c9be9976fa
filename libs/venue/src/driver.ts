import type {
  Channel,
  ConnectLimit,
  Decimal,
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
  /**
   * Which streams go by which connection, where the venue gives each key one connection with so many streams; at most one
   * list a key. Absent where one connection carries all.
   *
   * @throws {MarketDataError} `CONFIG_INVALID`, saying how many keys it would take
   */
  spread?(subscriptions: readonly Subscription[], keys: number): readonly (readonly Subscription[])[];
  /** What sessions remember from one to the next, of all connections to the venue. Absent where that is nothing. */
  newMemory?(): SessionMemory;
  /** Whether the venue says of each stream that it stands, or why not (`RegistrationNews`). Absent: all stand at the first data. */
  readonly answersSubscriptions?: boolean;
  /** Whether the venue sends data at this time. Absent where it always does. */
  isDataExpected?(at: Nanoseconds): boolean;
  /**
   * Whether records of this channel come all the time at present, so that a minute without any is odd; of trades that is not so in
   * an auction. Absent: whenever data is expected.
   */
  isSteady?(channel: Channel, at: Nanoseconds): boolean;
  /**
   * The part of a stretch in which the venue may have sent data, from its first instant to its last, what comes late included;
   * `undefined` where it sent none for sure. What is not known for sure may have been sent. Of a single instant: that, or nothing.
   * Absent: any stretch as it is.
   */
  mayHaveSent?(stretch: Stretch): Stretch | undefined;
  /** When it begins to send data next, after this time. Absent, or no time: that is not known. */
  dataExpectedFrom?(at: Nanoseconds): Nanoseconds | undefined;
  /** Whether to be connected at this time. Absent where that is always so. */
  isConnectionWanted?(at: Nanoseconds): boolean;
  /** One connection's protocol: made anew for each connection, so nothing of an old one leaks into the next but by its memory. */
  openSession(options: SessionOptions): VenueSession;
}

/** From one instant to another, both included; never a negative length. */
export interface Stretch {
  readonly from: Nanoseconds;
  readonly to: Nanoseconds;
}

/** What tells, across connections and restarts, whether something was missed. */
export interface SessionMemory {
  /** Trades received before this are of no use at the time `at`: it may be longer ago than gaps are looked for. */
  usefulSince(at: Nanoseconds): Nanoseconds;
  /**
   * A trade that was stored before this process, or by another one while this one was not let in: the newest of its symbol that is
   * known. May come while sessions read; what it shows to be missing they say with the next record.
   */
  resume(tick: Tick): void;
  /**
   * Another process may have recorded trades of this symbol that are not known here: what comes next is not compared with what came
   * before. A trade to resume may follow.
   */
  forget(symbol: string): void;
}

export interface SessionOptions {
  readonly subscriptions: readonly Subscription[];
  /** Levels a side; one of `defaults.bookDepths`. */
  readonly bookDepth: number;
  /** Made by the caller for each connection, so that the session has no random source. */
  readonly connectionId: string;
  /** What identifies us to the venue, where it wants that. Never in an error or a log. */
  readonly secret?: string;
  /** What `newMemory` made. */
  readonly memory?: SessionMemory;
}

export interface VenueSession {
  /** What to send when the socket is open, in order, `openingEveryMs` apart. Always the full subscription. */
  readonly opening: readonly string[];
  /**
   * Where the venue answers for each: what `opening` asks for, in the same order. They are asked for again by
   * `defaults.registration`.
   */
  readonly registrations?: readonly Registration[];
  /** What one received frame says. Never throws: what cannot be read is a `rejected` record with its reason. */
  read(frame: Uint8Array, receivedAt: Nanoseconds): FrameReading;
}

/** One stream that is asked for by itself. */
export interface Registration {
  /** For a log line, and unique in its session: `H0STCNT0 005930`. */
  readonly name: string;
  /** Absent: a stream without market data, such as one of halts. */
  readonly subscription?: Subscription;
  /** The messages that ask for it, and that give it back. */
  readonly request: string;
  readonly release: string;
}

export type FrameReading =
  /** Market data. One frame may carry several records; a frame that cannot be decoded is one rejected record. */
  | {
      readonly kind: 'data';
      readonly records: readonly FrameRecord[];
      readonly trading?: readonly TradingNews[];
      readonly notices?: readonly string[];
    }
  /**
   * Protocol talk without market data. `reply` is to be sent back at once. `notices`, here as with data, say where the venue
   * behaves otherwise than is known of it: for a warning in the log.
   */
  | {
      readonly kind: 'control';
      readonly reply?: string;
      readonly news?: RegistrationNews;
      readonly trading?: readonly TradingNews[];
      readonly notices?: readonly string[];
    }
  /** The venue refuses what was asked. `error.retryable` says whether connecting again can help. */
  | { readonly kind: 'refusal'; readonly error: MarketDataError };

/** What the venue says of one stream that was asked for. */
export type RegistrationNews =
  | { readonly registration: Registration; readonly answer: 'stands' }
  /**
   * `refused`: it does not stand; `error.retryable` says whether asking again on this connection can help, its context's
   * `retryAfterMs` how long to wait at least. `ended`: it stood, and does no more, whether or not it was given back. `full`: the
   * connection takes no more streams.
   */
  | {
      readonly registration: Registration;
      readonly answer: 'refused' | 'ended' | 'full';
      readonly error: MarketDataError;
    };

/** What the venue says of trading in one subscribed symbol: halts, interruptions, changes of session. */
export interface TradingNews {
  readonly symbol: string;
  /** Whether trading stands still, so that silence is no fault. Absent where this does not tell. */
  readonly isHalted?: boolean;
  /** For a log line: `halted: 풍문 조회`. */
  readonly detail: string;
}

export type FrameRecord =
  | { readonly outcome: 'event'; readonly event: Tick | OrderBook }
  /** Sound data that came before. */
  | { readonly outcome: 'repeated'; readonly symbol: string }
  /** What the record behind it shows to be missing. `missed` is 0 where only the volume is known. */
  | {
      readonly outcome: 'gap';
      readonly symbol: string;
      readonly channel: Channel;
      readonly missed: bigint;
      readonly missedVolume: Decimal | undefined;
      readonly detail: string;
    }
  /** Sound data of a symbol or channel that was not subscribed. */
  | { readonly outcome: 'ignored'; readonly symbol: string }
  /** Empty symbol and absent channel: not even those could be read. */
  | {
      readonly outcome: 'rejected';
      readonly symbol: string;
      readonly channel: Channel | undefined;
      readonly error: MarketDataError;
      /** What is kept in place of the frame: the record's own part of it, or the frame without secrets. @default the frame */
      readonly bytes?: Uint8Array;
      /** Records of its stream that are lost with it. @default one, or unknown (0) where the channel is */
      readonly missed?: bigint;
    };

/** How streams are asked for that are answered for one by one. */
export interface RegistrationPolicy {
  /** Longest time, ms, from a request to its answer. */
  readonly answerWithinMs: number;
  /**
   * The waits before a stream that was refused, or not answered for, is asked for again on the same connection. `retries` counts
   * each stream's further requests on one connection and is above 0; the rest is left to the next connection.
   */
  readonly retry: ReconnectPolicy;
}

export interface VenueDefaults {
  readonly websocketUrl: string;
  readonly apiUrl: string;
  readonly reconnect: ReconnectPolicy;
  /** Attempts to connect that the venue allows one address, all connections together. */
  readonly connectLimit: ConnectLimit;
  /** Shortest time, ms, between two messages of ours that ask for streams. Absent where the venue sets none. */
  readonly openingEveryMs?: number;
  /** Where sessions have `registrations`. */
  readonly registration?: RegistrationPolicy;
  /** Absent where the venue wants no pings: it sends its own, which the session answers. */
  readonly keepAlive?: KeepAlive;
  /** Longest silence of the whole connection, ms, before it counts as dead. */
  readonly silenceTimeoutMs: number;
  /** The least, ms, that a user may set. Absent where the pings and the limit of connection attempts are bounds enough. */
  readonly atLeast?: { readonly silenceTimeoutMs: number; readonly reconnectDelayMs: number };
  /** How long, ms, the first record of a subscription may take before the code counts as silent. */
  readonly firstRecordWithinMs: number;
  /**
   * Shortest silence of one stream among busy ones, ms, that may count as a fault; a stream with longer pauses of its own
   * is given more. Only what `isSteady` counts, and each session by itself. Absent where silence tells nothing.
   */
  readonly staleAfterMs?: number;
  /** Depths the venue offers, ascending. */
  readonly bookDepths: readonly number[];
  readonly bookDepth: number;
}
