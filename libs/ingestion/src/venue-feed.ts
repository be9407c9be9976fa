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
  VenueDriver,
  VenueSession,
} from '@aipx/venue';
import { zeroVenueCounts, type VenueCounts } from './counts.js';
import type { FrameUnit } from './frame-unit.js';
import { GapMerger, mergeByKey } from './gap-merger.js';
import { SubscriptionStates } from './subscription-states.js';

export interface VenueFeedOptions {
  readonly driver: VenueDriver;
  readonly subscriptions: readonly Subscription[];
  readonly bookDepth: number;
  /** What the venue's sessions remember, where they do. */
  readonly memory?: SessionMemory;
  /** Set when the venue plays a recorded source: its identity, and how many of its frames are done. */
  readonly replay?: { readonly source: string; readonly framesDone: number };
  readonly onUnit: (unit: FrameUnit) => void;
}

const STALE_DETAIL = 'silent for far longer than ever while other streams went on';

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
  /** The last frame before a loss that no gap names yet. */
  #lossFrom: Nanoseconds | undefined;
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
    this.states.requested(at);
    return this.#session.opening;
  }

  /** The connection is gone and shall come back: what is missed from now on becomes a gap at the next frame. */
  lost(): void {
    this.#session = undefined;
    this.#lossFrom ??= this.#lastFrameAt;
    this.#endStale();
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
    const reading = this.#session.read(bytes, at);
    if (reading.kind === 'data') this.#data(reading.records, bytes, at);
    if (reading.kind === 'control' && reading.news !== undefined) this.#heard(reading.news);
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
          deadLetters.push(this.#deadLetter(record, index, bytes, deadLetters[0]));
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
    if (this.#lossFrom !== undefined) {
      const from = this.#lossFrom;
      this.#lossFrom = undefined;
      const lost = this.#options.subscriptions.map((each) => this.#gap(each, from, at, 'RECONNECT', 'connection lost'));
      gaps.push(...this.#spaced(lost, at));
    }
    return gaps;
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
    const { symbol, channel } = record;
    const from = (channel && this.states.lastRecordAt(symbol, channel)) ?? this.#lastFrameAt ?? at;
    // Of a frame that cannot be read nobody can say how many records it carried.
    const missed = channel === undefined ? 0n : 1n;
    return { ...this.#gap(record, from, at, 'UNDECODABLE', record.error.message), missed };
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

  /** The frame's bytes are kept once, with its first bad record: a list frame may carry thousands. */
  #deadLetter(
    record: Extract<FrameRecord, { outcome: 'rejected' }>,
    index: number,
    bytes: Uint8Array,
    first: DeadLetter | undefined,
  ): DeadLetter {
    const { code, message } = record.error;
    return {
      position: `${this.#options.driver.id}/${this.#connectionId}/${this.#frameNumber}/${index + 1}`,
      reason: code,
      message: first === undefined ? message : `${message} (the frame's bytes are kept with ${first.position})`,
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
