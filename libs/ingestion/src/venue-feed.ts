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
  /** What the venue's sessions remember, where they do. */
  readonly memory?: SessionMemory;
  /** Set when the venue plays a recorded source: its identity, and how many of its frames are done. */
  readonly replay?: ReplayPosition;
  readonly onUnit: (unit: FrameUnit) => void;
}

const STALE_DETAIL = 'silent for far longer than ever while other streams went on';

/** How late a venue may send what belongs to a session. */
const LATE: Nanoseconds = 300_000_000_000n;

/** What may have been missed, and is not named yet. */
interface Loss {
  /** Receive time of the last data frame. */
  readonly from: Nanoseconds;
  /** When the connection was known to be gone. */
  readonly at: Nanoseconds;
}

interface KnownPast {
  /** Streams and when their last record was received, as the log remembers. */
  readonly lastReceived: ReadonlyMap<Subscription, Nanoseconds>;
}

/**
 * One venue's frames, from the socket's bytes to units for the log: decodes, counts, and names what is missing. Knows
 * nothing of sockets and timers; the connection tells it what happened and when.
 */
export class VenueFeed {
  readonly counts: VenueCounts = zeroVenueCounts();
  readonly states: SubscriptionStates;
  readonly #options: VenueFeedOptions;
  readonly #gaps = new GapMerger();
  #session: VenueSession | undefined;
  #connectionId = '';
  #frameNumber: number;
  #lastFrameAt: Nanoseconds | undefined;
  #firstFrameAt: Nanoseconds | undefined;
  #openedAt: Nanoseconds = 0n;
  #loss: Loss | undefined;
  #past: KnownPast | undefined;

  constructor(options: VenueFeedOptions) {
    this.#options = options;
    this.#frameNumber = options.replay?.framesDone ?? 0;
    const { firstRecordWithinMs, staleAfterMs } = options.driver.defaults;
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
    this.states.requested(at);
    return this.#session.opening;
  }

  /** The connection is gone and shall come back: what is missed from now on becomes a gap at the next frame. */
  lost(at: Nanoseconds): void {
    this.#session = undefined;
    if (this.#lastFrameAt !== undefined) this.#loss ??= { from: this.#lastFrameAt, at };
    this.#endStale();
  }

  /** There is no connection from now on, since none is of use: what was missed until now is named now. */
  rests(at: Nanoseconds): void {
    this.#openedAt = at;
    this.#offerGaps(this.#lossGaps(at));
    this.lost(at);
  }

  /** What the log remembers of the time before this process. From now on that stretch can be named. */
  rememberPast(lastReceived: ReadonlyMap<Subscription, Nanoseconds>): void {
    this.#past = { lastReceived };
    if (this.#firstFrameAt !== undefined) this.#offerGaps(this.#pastGaps(this.#firstFrameAt));
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
    if (reading.kind === 'control' && reading.news !== undefined) this.#heard(reading.news);
    if (reading.kind !== 'refusal') {
      this.#traded(reading.trading ?? []);
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
    const events: MarketEvent[] = this.#gapsBefore(at);
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

  #heard({ subscription, error }: StreamNews): void {
    this.states.answered(subscription, error);
  }

  #traded(trading: readonly TradingNews[]): void {
    for (const { symbol, isHalted } of trading) {
      if (isHalted !== undefined) this.states.halted(symbol, isHalted);
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

  /** Gaps that end with this frame: the first of a process, the first after a loss. A replay has neither. */
  #gapsBefore(at: Nanoseconds): Gap[] {
    if (this.#options.replay !== undefined) return [];
    const gaps: Gap[] = [];
    if (this.#firstFrameAt === undefined) {
      this.#firstFrameAt = at;
      gaps.push(...this.#pastGaps(at));
    }
    gaps.push(...this.#lossGaps(at));
    return gaps;
  }

  #lossGaps(to: Nanoseconds): readonly Gap[] {
    const loss = this.#loss;
    this.#loss = undefined;
    const from = loss && this.#missedFrom(loss);
    if (from === undefined) return [];
    const lost = this.#options.subscriptions.map((each) => this.#gap(each, from, to, 'RECONNECT', 'connection lost'));
    return this.#spaced(lost, to);
  }

  /** Since when data may have been missed; `undefined` when the venue sends none while nobody listened. */
  #missedFrom({ from, at }: Loss): Nanoseconds | undefined {
    const { isDataExpected, dataExpectedFrom, defaults } = this.#options.driver;
    // So long a dead connection may have gone unnoticed.
    const aliveAt = at - BigInt(defaults.silenceTimeoutMs) * 1_000_000n;
    if (isDataExpected?.(aliveAt) !== false) return from;
    // It sent although nothing was expected: what is expected of it is wrong today.
    if (!isDataExpected(from) && !isDataExpected(from - LATE)) return from;
    const next = dataExpectedFrom?.(aliveAt);
    if (next === undefined) return from;
    if (next >= this.#openedAt) return undefined;
    return from > next ? from : next;
  }

  #pastGaps(to: Nanoseconds): Gap[] {
    const past = this.#past;
    if (past === undefined) return [];
    this.#past = undefined;
    return this.#options.subscriptions.map((each) => {
      const from = past.lastReceived.get(each) ?? 0n;
      // A clock that was set back between two processes cannot make a stretch of negative length.
      return this.#gap(each, from < to ? from : to, to, 'RECONNECT', 'not running');
    });
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
