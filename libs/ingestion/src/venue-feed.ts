import type { DeadLetter } from '@aipx/event-log';
import { MarketDataError, type Channel, type Gap, type MarketEvent, type Nanoseconds } from '@aipx/market-model';
import type {
  FrameReading,
  FrameRecord,
  RegistrationNews,
  SessionMemory,
  Subscription,
  TradingNews,
  VenueDriver,
  VenueSession,
} from '@aipx/venue';
import { Absences, type MissedStretch, type StreamPast } from './absences.js';
import { zeroVenueCounts, type VenueCounts } from './counts.js';
import type { FrameUnit } from './frame-unit.js';
import { GapMerger, mergeByKey } from './gap-merger.js';
import { receivedNow } from './received-now.js';
import { SessionWatch } from './session-watch.js';
import { SubscriptionStates, type Denial, type StaleStretch } from './subscription-states.js';
import { VenueGaps } from './venue-gaps.js';

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

/**
 * One venue's frames, from the socket's bytes to units for the log: decodes, counts, and names what is missing. Knows
 * nothing of sockets and timers; the connection tells it what happened and when.
 */
export class VenueFeed {
  readonly counts: VenueCounts = zeroVenueCounts();
  readonly states: SubscriptionStates;
  readonly #options: VenueFeedOptions;
  readonly #gaps: VenueGaps;
  readonly #merger = new GapMerger();
  readonly #absences: Absences;
  readonly #sessions: SessionWatch;
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
    this.#gaps = new VenueGaps(options.driver);
    this.#sessions = new SessionWatch(options.driver);
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
   * A connection stands. Returns its session: what to send first.
   *
   * @param secret what identifies us, where the venue wants that
   */
  opened(connectionId: string, at: Nanoseconds, secret?: string): VenueSession {
    const { driver, subscriptions, bookDepth, memory } = this.#options;
    const own = { ...(secret !== undefined && { secret }), ...(memory !== undefined && { memory }) };
    this.#session = driver.openSession({ subscriptions, bookDepth, connectionId, ...own });
    this.#connectionId = connectionId;
    this.#openedAt = at;
    this.states.requested(at, this.#tradingDaySince(at));
    return this.#session;
  }

  /** The connection is gone and shall come back: what is missed of a stream from now on becomes a gap once it stands again. */
  lost(at: Nanoseconds): void {
    // So long a dead connection may have gone unnoticed.
    this.#leave(at - this.#silenceTimeout);
  }

  /** There is no connection from now on, since none is of use: what was missed until now is named now. */
  rests(at: Nanoseconds): void {
    this.#nameRefused(at);
    this.#offerGaps(this.#lostGaps(this.#absences.namedUntil(at), at));
    this.#leave(at);
  }

  /** What is known of the time before this process. From now on that stretch can be named. */
  rememberPast(pasts: ReadonlyMap<Subscription, StreamPast>): void {
    const missed: MissedStretch[] = [];
    for (const subscription of this.#options.subscriptions) {
      const past = pasts.get(subscription) ?? {};
      if (past.lastReceived !== undefined) this.states.recordedBefore(subscription, past.lastReceived);
      const before = this.#absences.before(subscription, past);
      if (before === 'whole') this.#options.onPastWhole?.(subscription);
      else if (before !== undefined) missed.push(before);
    }
    this.#offerGaps(missed.map((each) => this.#gaps.lost(each)));
  }

  /** Nothing was ever recorded of these: nothing can be missing of the time before this process. */
  nothingBefore(subscriptions: readonly Subscription[]): void {
    this.#absences.nothingBefore(subscriptions);
  }

  /** Others may have listened while this could not: what was missed begins behind their last records. */
  recordedMeanwhile(pasts: ReadonlyMap<Subscription, StreamPast>): void {
    for (const [subscription, { lastReceived }] of pasts) {
      if (lastReceived === undefined || !this.#absences.recordedMeanwhile(subscription, lastReceived)) continue;
      this.states.recordedBefore(subscription, lastReceived);
    }
  }

  /** Until when this listened for sure, once all that it made of that was handed on. `undefined`: some of it waits here. */
  heardUntil(now: Nanoseconds): Nanoseconds | undefined {
    return this.#merger.isPending ? undefined : now - this.#silenceTimeout;
  }

  /** Streams of which all that the venue sent up to `at` came, or is named. */
  wholeUntil(at: Nanoseconds): readonly Subscription[] {
    const stale = this.states
      .staleStretches()
      .filter((each) => each.from < at && this.#gaps.stale(each, at) !== undefined);
    const notWhole = new Set(stale.map(({ subscription }) => subscription));
    return this.#absences.whole(at).filter((subscription) => !notWhole.has(subscription));
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

  /** The venue does not send the stream, or no more. */
  refused(subscription: Subscription, error: MarketDataError, at: Nanoseconds): void {
    this.#absent(subscription, { refused: error }, at, error);
  }

  /** The venue has not answered a request made at `askedAt`: nobody knows whether the stream stands. */
  unanswered(subscription: Subscription, error: MarketDataError, askedAt: Nanoseconds): void {
    this.#absent(subscription, { unanswered: error }, askedAt, error);
  }

  /** Sends gaps whose turn has come, and names what a session has missed; called about once a second. */
  tick(now: Nanoseconds): void {
    const { isSteady } = this.#options.driver;
    if (isSteady) this.states.steady({ tick: isSteady('tick', now), orderbook: isSteady('orderbook', now) });
    const { hasBegun, hasEnded, isDayOver } = this.#sessions.look(now);
    if (isDayOver) this.#nameRefused(now);
    if (hasEnded) this.#nameStale(this.states.nextStale(now), now);
    if (hasBegun) this.states.sessionBegan();
    this.#offerGaps(this.#merger.due(now));
  }

  /** The connection is given up for good, and nobody calls `tick` any more: what waits for its second goes now. */
  givenUp(at: Nanoseconds): void {
    this.lost(at);
    this.#offerGaps(this.#merger.flush(at));
  }

  /** The end: nothing waits any more. */
  finish(now: Nanoseconds): void {
    this.#nameStale(this.states.endStale(), now);
    this.#nameRefused(now);
    this.#offerGaps(this.#merger.flush(now));
  }

  #data(records: readonly FrameRecord[], bytes: Uint8Array, at: Nanoseconds): void {
    this.counts.frames += 1;
    this.#frameNumber += 1;
    this.states.frame(at);
    const events: MarketEvent[] = [...this.#gapsBefore(records, at)];
    const gaps: Gap[] = [];
    const deadLetters: DeadLetter[] = [];
    let keptAt: Map<Uint8Array, string> | undefined;
    let index = 0;
    for (const record of records) {
      index += 1;
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
          deadLetters.push(this.#deadLetter(record, index, record.bytes ?? bytes, (keptAt ??= new Map())));
          gaps.push(this.#undecodable(record, at));
          if (record.channel !== undefined) this.#saw(record.symbol, record.channel, at, gaps);
          break;
      }
    }
    this.#lastFrameAt = at;
    const whole = gaps.length === 0 ? events : [...events, ...this.#spaced(gaps, at)];
    this.#offer(whole, deadLetters, bytes.length);
  }

  /** What the venue said of trading before this is of another day. `undefined`: that is not known. */
  #tradingDaySince(at: Nanoseconds): Nanoseconds | undefined {
    try {
      return this.#options.memory?.usefulSince(at);
    } catch {
      return undefined; // told at the start, and by every record that needs the day
    }
  }

  /** What it refuses or ends comes by `refused`: whether it was asked for, the connection knows. */
  #heard({ registration, answer }: RegistrationNews, at: Nanoseconds): void {
    const { subscription } = registration;
    if (subscription === undefined || answer !== 'stands') return;
    this.states.answered(subscription, 'registered');
    if (this.#options.driver.answersSubscriptions !== true) return;
    const missed = this.#absences.stands(subscription.symbol, subscription.channel, at, this.#onPastWhole);
    this.#offerGaps(this.#lostGaps(missed, at));
  }

  #absent(subscription: Subscription, denial: Denial, at: Nanoseconds, { message }: MarketDataError): void {
    const stale = this.states.endStale(subscription);
    this.#nameStale(stale, at);
    this.states.answered(subscription, denial);
    if (this.#options.driver.answersSubscriptions !== true) return;
    const dataAt = this.states.lastRecordAt(subscription.symbol, subscription.channel);
    const from = stale.length > 0 ? at : (dataAt ?? at);
    this.#absences.refused(subscription, { from, heardUntil: at, dataAt, detail: message });
  }

  /** A stream that the venue refuses may never stand again: what is missed of it is named with each day's end. */
  #nameRefused(at: Nanoseconds): void {
    this.#offerGaps(this.#lostGaps(this.#absences.refusedUntil(at, this.#onPastWhole), at));
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
    const stale = this.states.seen(symbol, channel, at);
    const gap = stale && this.#gaps.stale(stale, at);
    if (gap !== undefined) gaps.push(gap);
  }

  #nameStale(stale: readonly StaleStretch[], until: Nanoseconds): void {
    const gaps = stale.flatMap((stretch) => this.#gaps.stale(stretch, until) ?? []);
    this.#offerGaps(this.#spaced(gaps, until));
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
    const lastFrameAt = this.#lastFrameAt ?? aliveAt;
    this.#nameStale(this.states.endStale(), lastFrameAt > aliveAt ? lastFrameAt : aliveAt);
  }

  #lostGaps(missed: readonly MissedStretch[], at: Nanoseconds): readonly Gap[] {
    return this.#spaced(
      missed.map((each) => this.#gaps.lost(each)),
      at,
    );
  }

  #missed(record: Extract<FrameRecord, { outcome: 'gap' }>, at: Nanoseconds): Gap {
    const from = this.states.lossFollows(record.symbol, record.channel) ?? this.#lastFrameAt ?? at;
    return this.#gaps.sequence(record, from, at);
  }

  #undecodable(record: Extract<FrameRecord, { outcome: 'rejected' }>, at: Nanoseconds): Gap {
    const { symbol, channel } = record;
    const from = (channel && this.states.lastRecordAt(symbol, channel)) ?? this.#lastFrameAt ?? at;
    return this.#gaps.undecodable(record, from, at);
  }

  /**
   * The gaps that may go now; the others wait while their second lasts. A replay keeps a frame's gaps with the frame, in
   * its own transaction, so that two runs write the same and a resumed one misses none; its gaps are bounded by its input.
   */
  #spaced(gaps: readonly Gap[], at: Nanoseconds): readonly Gap[] {
    if (this.#options.replay !== undefined) return mergeByKey(gaps);
    return gaps.flatMap((gap) => this.#merger.add(gap, at) ?? []);
  }

  /** The same bytes are kept once, with the first bad record that they are of: a list frame may carry thousands. */
  #deadLetter(
    record: Extract<FrameRecord, { outcome: 'rejected' }>,
    number: number,
    bytes: Uint8Array,
    keptAt: Map<Uint8Array, string>,
  ): DeadLetter {
    const { code, message } = record.error;
    const position = `${this.#options.driver.id}/${this.#connectionId}/${this.#frameNumber}/${number}`;
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
