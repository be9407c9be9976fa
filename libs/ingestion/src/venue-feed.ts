import type { DeadLetter } from '@aipx/event-log';
import {
  MarketDataError,
  type Channel,
  type Gap,
  type GapCause,
  type MarketEvent,
  type Nanoseconds,
} from '@aipx/market-model';
import type {
  FrameReading,
  FrameRecord,
  SessionMemory,
  StreamNews,
  Subscription,
  TradingNews,
  VenueDriver,
  VenueSession,
} from '@aipx/venue';
import { Absences, type MissedStretch, type StreamPast } from './absences.js';
import { zeroVenueCounts, type VenueCounts } from './counts.js';
import type { FrameUnit } from './frame-unit.js';
import { GapMerger, mergeByKey } from './gap-merger.js';
import { SubscriptionStates } from './subscription-states.js';

export interface ReplayPosition {
  /** What is played, by its content. */
  readonly source: string;
  readonly framesDone: number;
  /** When a frame was received that is read now: what its times without a date are of. `undefined`: nobody knows. */
  readonly recordedAt?: (frame: number) => Nanoseconds | undefined;
}

export interface VenueFeedOptions {
  readonly driver: VenueDriver;
  readonly subscriptions: readonly Subscription[];
  readonly bookDepth: number;
  /** Longest silence of a connection, ms, before it counts as dead. @default the driver's */
  readonly silenceTimeoutMs?: number;
  /** What the venue's sessions remember, where they do. */
  readonly memory?: SessionMemory;
  /** Set when the venue plays a recorded source: its identity, and how many of its frames are done. */
  readonly replay?: ReplayPosition;
  readonly onUnit: (unit: FrameUnit) => void;
  /** Nothing of the stream was missed before this process. */
  readonly onPastWhole?: (subscription: Subscription) => void;
}

const STALE_DETAIL = 'silent for far longer than ever while other streams went on';

/**
 * One venue's frames, from the socket's bytes to units for the log: decodes, counts, and names what is missing. Knows
 * nothing of sockets and timers; the connection tells it what happened and when.
 */
export class VenueFeed {
  readonly counts: VenueCounts = zeroVenueCounts();
  readonly states: SubscriptionStates;
  readonly #options: VenueFeedOptions;
  readonly #gaps = new GapMerger();
  readonly #absences: Absences;
  readonly #silenceTimeout: Nanoseconds;
  #session: VenueSession | undefined;
  #connectionId = '';
  #frameNumber: number;
  #lastFrameAt: Nanoseconds | undefined;
  #openedAt: Nanoseconds = 0n;

  constructor(options: VenueFeedOptions) {
    this.#options = options;
    this.#frameNumber = options.replay?.framesDone ?? 0;
    const { firstRecordWithinMs, staleAfterMs, silenceTimeoutMs } = options.driver.defaults;
    this.#silenceTimeout = BigInt(options.silenceTimeoutMs ?? silenceTimeoutMs) * 1_000_000n;
    // A replay is one piece: nothing lies before it or between its connections.
    const isOfTime = options.replay === undefined;
    this.#absences = new Absences(isOfTime ? options.subscriptions : [], options.driver);
    // A recording's silences are its own, and a gap more than the first run made would part the second from it.
    const isWatched = staleAfterMs !== undefined && options.replay === undefined;
    const limits = { firstRecordWithinMs, ...(isWatched && { staleAfterMs }) };
    this.states = new SubscriptionStates(options.subscriptions, limits);
  }

  /** When the last frame of market data was received, whichever connection brought it. */
  get lastFrameAt(): Nanoseconds | undefined {
    return this.#lastFrameAt;
  }

  /**
   * A connection stands. Returns what to send first.
   *
   * @param secret what identifies us, where the venue wants that
   */
  opened(connectionId: string, at: Nanoseconds, secret?: string): readonly string[] {
    const { driver, subscriptions, bookDepth, memory } = this.#options;
    const own = { ...(secret !== undefined && { secret }), ...(memory !== undefined && { memory }) };
    this.#session = driver.openSession({ subscriptions, bookDepth, connectionId, ...own });
    this.#connectionId = connectionId;
    this.#openedAt = at;
    this.states.requested(at, this.#tradingDaySince(at));
    return this.#session.opening;
  }

  /** The connection is gone and shall come back: what is missed of a stream from now on becomes a gap once it stands again. */
  lost(at: Nanoseconds): void {
    // So long a dead connection may have gone unnoticed.
    this.#leave(at - this.#silenceTimeout);
  }

  /** There is no connection from now on, since none is of use: what was missed until now is named now. */
  rests(at: Nanoseconds): void {
    this.#offerGaps(this.#lostGaps(this.#absences.namedUntil(at), at));
    this.#leave(at);
  }

  /** What is known of the time before this process. From now on that stretch can be named. */
  rememberPast(pasts: ReadonlyMap<Subscription, StreamPast>): void {
    const missed: MissedStretch[] = [];
    for (const subscription of this.#options.subscriptions) {
      const before = this.#absences.before(subscription, pasts.get(subscription) ?? {});
      if (before === 'whole') this.#options.onPastWhole?.(subscription);
      else if (before !== undefined) missed.push(before);
    }
    this.#offerGaps(missed.map((each) => this.#lostGap(each)));
  }

  /** Streams of which all that the venue sent up to `at` came, or is named. */
  wholeUntil(at: Nanoseconds): readonly Subscription[] {
    return this.#absences.whole(at);
  }

  /**
   * Takes one received frame and says what it was; a `reply` or `refusal` is the connection's to act on.
   *
   * @throws {MarketDataError} `CONNECTION_STATE` while no connection stands
   */
  frame(bytes: Uint8Array, at: Nanoseconds): FrameReading {
    if (this.#session === undefined) {
      const { id } = this.#options.driver;
      throw new MarketDataError('CONNECTION_STATE', `${id}: a frame was to be read while no connection stands`);
    }
    const recordedAt = this.#options.replay?.recordedAt?.(this.#frameNumber);
    const reading =
      recordedAt === undefined ? this.#session.read(bytes, at) : receivedNow(this.#session.read(bytes, recordedAt), at);
    if (reading.kind === 'data') this.#data(reading.records, bytes, at);
    if (reading.kind === 'control' && reading.news !== undefined) this.#heard(reading.news, at);
    if (reading.kind !== 'refusal') {
      this.#traded(reading.trading ?? [], at);
      this.counts.notices += reading.notices?.length ?? 0;
    }
    return reading;
  }

  /** Sends gaps whose turn has come; called about once a second. */
  tick(now: Nanoseconds): void {
    this.#offerGaps(this.#gaps.due(now));
  }

  /** The end: nothing waits any more. */
  finish(now: Nanoseconds): void {
    this.#endStale();
    this.#offerGaps(this.#gaps.flush(now));
  }

  #data(records: readonly FrameRecord[], bytes: Uint8Array, at: Nanoseconds): void {
    this.counts.frames += 1;
    this.#frameNumber += 1;
    this.states.frame(at);
    const events: MarketEvent[] = [...this.#gapsBefore(records, at)];
    const gaps: Gap[] = [];
    const deadLetters: DeadLetter[] = [];
    const keptAt = new Map<Uint8Array, string>();
    for (const [index, record] of records.entries()) {
      switch (record.outcome) {
        case 'event':
          this.#count(record.event.kind);
          this.#saw(record.event.symbol, record.event.kind, at, gaps);
          events.push(record.event);
          break;
        case 'ignored':
          this.counts.ignored += 1;
          break;
        case 'repeated':
          this.#count('repeated');
          break;
        case 'gap':
          gaps.push(this.#missed(record, at));
          break;
        case 'rejected':
          this.#count('rejected');
          deadLetters.push(this.#deadLetter(record, index, record.bytes ?? bytes, keptAt));
          gaps.push(this.#undecodable(record, at));
          if (record.channel !== undefined) this.#saw(record.symbol, record.channel, at, gaps);
          break;
      }
    }
    this.#lastFrameAt = at;
    this.#offer([...events, ...this.#spaced(gaps, at)], deadLetters, bytes.length);
  }

  /** What the venue said of trading before this is of another day. `undefined`: that is not known. */
  #tradingDaySince(at: Nanoseconds): Nanoseconds | undefined {
    try {
      return this.#options.memory?.usefulSince(at);
    } catch {
      return undefined; // told at the start, and by every record that needs the day
    }
  }

  #heard({ subscription, error }: StreamNews, at: Nanoseconds): void {
    this.states.answered(subscription, error);
    if (this.#options.driver.answersSubscriptions !== true) return;
    const { symbol, channel } = subscription;
    if (error === undefined) {
      const missed = this.#absences.stands(symbol, channel, at, this.#onPastWhole);
      this.#offerGaps(this.#lostGaps(missed, at));
    } else {
      this.#absences.refused(subscription, this.states.lastRecordAt(symbol, channel), at, error.message);
    }
  }

  #traded(trading: readonly TradingNews[], at: Nanoseconds): void {
    for (const { symbol, isHalted } of trading) {
      if (isHalted !== undefined) this.states.halted(symbol, isHalted, at);
    }
  }

  #count(outcome: 'tick' | 'orderbook' | 'repeated' | 'rejected'): void {
    this.counts.received += 1;
    this.counts[outcome] += 1;
  }

  /** The stream speaks, if only in something that cannot be read. What it may have missed while it was stale is a gap. */
  #saw(symbol: string, channel: Channel, at: Nanoseconds, gaps: Gap[]): void {
    const staleFrom = this.states.seen(symbol, channel, at);
    if (staleFrom !== undefined) gaps.push(this.#gap({ symbol, channel }, staleFrom, at, 'STALE', STALE_DETAIL));
  }

  /** Streams whose connection, or whose process, ends while they are stale. */
  #endStale(): void {
    const to = this.#lastFrameAt;
    const stale = this.states.endStale();
    if (to === undefined) return;
    const gaps = stale.map(({ subscription, from }) => this.#gap(subscription, from, to, 'STALE', STALE_DETAIL));
    this.#offerGaps(this.#spaced(gaps, to));
  }

  /** Gaps that end with this frame: of streams that did not stand, and do now. */
  #gapsBefore(records: readonly FrameRecord[], at: Nanoseconds): readonly Gap[] {
    if (this.#absences.isNobodyAway) return [];
    const { answersSubscriptions } = this.#options.driver;
    if (answersSubscriptions !== true) {
      return this.#lostGaps(this.#absences.allStand(at, this.#openedAt, this.#onPastWhole), at);
    }
    const missed = records.flatMap((record) => {
      if (record.outcome !== 'event') return [];
      const { symbol, kind } = record.event;
      return this.#absences.stands(symbol, kind, at, this.#onPastWhole);
    });
    return this.#lostGaps(missed, at);
  }

  readonly #onPastWhole = (subscription: Subscription) => this.#options.onPastWhole?.(subscription);

  #leave(aliveAt: Nanoseconds): void {
    this.#session = undefined;
    this.#absences.connectionLost(this.#lastFrameAt, aliveAt);
    this.#endStale();
  }

  #lostGaps(missed: readonly MissedStretch[], at: Nanoseconds): readonly Gap[] {
    return this.#spaced(
      missed.map((each) => this.#lostGap(each)),
      at,
    );
  }

  #lostGap({ subscription, from, to, detail }: MissedStretch): Gap {
    return this.#gap(subscription, from, to, 'RECONNECT', detail);
  }

  #missed(record: Extract<FrameRecord, { outcome: 'gap' }>, at: Nanoseconds): Gap {
    const { symbol, channel, missed, missedVolume, detail } = record;
    const from = this.states.lastRecordAt(symbol, channel) ?? this.#lastFrameAt ?? at;
    return { ...this.#gap(record, from, at, 'SEQUENCE', detail), missed, missedVolume };
  }

  #undecodable(record: Extract<FrameRecord, { outcome: 'rejected' }>, at: Nanoseconds): Gap {
    const { symbol, channel, missed } = record;
    const from = (channel && this.states.lastRecordAt(symbol, channel)) ?? this.#lastFrameAt ?? at;
    // Of a frame that cannot be read nobody can say how many records it carried.
    const lost = missed ?? (channel === undefined ? 0n : 1n);
    return { ...this.#gap(record, from, at, 'UNDECODABLE', record.error.message), missed: lost };
  }

  #gap(
    stream: { readonly symbol: string; readonly channel: Subscription['channel'] | undefined },
    from: Nanoseconds,
    to: Nanoseconds,
    cause: GapCause,
    detail: string,
  ): Gap {
    const { symbol, channel } = stream;
    const exchange = this.#options.driver.id;
    return { kind: 'gap', exchange, symbol, channel, from, to, cause, missed: 0n, missedVolume: undefined, detail };
  }

  /**
   * The gaps that may go now; the others wait while their second lasts. A replay keeps a frame's gaps with the frame, in
   * its own transaction, so that two runs write the same and a resumed one misses none; its gaps are bounded by its input.
   */
  #spaced(gaps: readonly Gap[], at: Nanoseconds): readonly Gap[] {
    if (this.#options.replay !== undefined) return mergeByKey(gaps);
    return gaps.flatMap((gap) => this.#gaps.add(gap, at) ?? []);
  }

  /** The same bytes are kept once, with the first bad record that they are of: a list frame may carry thousands. */
  #deadLetter(
    record: Extract<FrameRecord, { outcome: 'rejected' }>,
    index: number,
    bytes: Uint8Array,
    keptAt: Map<Uint8Array, string>,
  ): DeadLetter {
    const { code, message } = record.error;
    const position = `${this.#options.driver.id}/${this.#connectionId}/${this.#frameNumber}/${index + 1}`;
    const first = keptAt.get(bytes);
    if (first === undefined) keptAt.set(bytes, position);
    return {
      position,
      reason: code,
      message: first === undefined ? message : `${message} (the frame's bytes are kept with ${first})`,
      bytes: first === undefined ? bytes : new Uint8Array(),
      exchange: this.#options.driver.id,
    };
  }

  #offerGaps(gaps: readonly Gap[]): void {
    if (gaps.length > 0) this.#offer(gaps, [], 0);
  }

  #offer(events: readonly MarketEvent[], deadLetters: readonly DeadLetter[], bytes: number): void {
    const replay = this.#options.replay;
    if (replay !== undefined) {
      const progress = { source: replay.source, frames: this.#frameNumber };
      this.#options.onUnit({ events, deadLetters, bytes, progress });
    } else if (events.length > 0 || deadLetters.length > 0) {
      this.#options.onUnit({ events, deadLetters, bytes });
    }
  }
}

/** Of a replay too, the receive time is when this process received it. */
function receivedNow(reading: FrameReading, receivedTimestamp: Nanoseconds): FrameReading {
  if (reading.kind !== 'data') return reading;
  const records = reading.records.map((record) =>
    record.outcome === 'event' ? { ...record, event: { ...record.event, receivedTimestamp } } : record,
  );
  return { ...reading, records };
}
