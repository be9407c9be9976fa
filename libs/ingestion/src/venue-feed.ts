import type { DeadLetter } from '@aipx/event-log';
import type { Gap, GapCause, MarketEvent, Nanoseconds } from '@aipx/market-model';
import type { FrameReading, FrameRecord, Subscription, VenueDriver, VenueSession } from '@aipx/venue';
import { zeroVenueCounts, type VenueCounts } from './counts.js';
import type { FrameUnit } from './frame-unit.js';
import { GapMerger, mergeByKey } from './gap-merger.js';
import { SubscriptionStates } from './subscription-states.js';

export interface VenueFeedOptions {
  readonly driver: VenueDriver;
  readonly subscriptions: readonly Subscription[];
  readonly bookDepth: number;
  /** Set when the venue plays a recorded source: its identity, and how many of its frames are done. */
  readonly replay?: { readonly source: string; readonly framesDone: number };
  readonly onUnit: (unit: FrameUnit) => void;
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
  readonly #lastRecordAt = new Map<string, Nanoseconds>();
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
    this.states = new SubscriptionStates(options.subscriptions, options.driver.defaults.firstRecordWithinMs);
  }

  /** A connection stands. Returns what to send first. */
  opened(connectionId: string, at: Nanoseconds): readonly string[] {
    const { driver, subscriptions, bookDepth } = this.#options;
    this.#session = driver.openSession({ subscriptions, bookDepth, connectionId });
    this.#connectionId = connectionId;
    this.states.requested(at);
    return this.#session.opening;
  }

  /** The connection is gone and shall come back: what is missed from now on becomes a gap at the next frame. */
  lost(): void {
    this.#session = undefined;
    this.#lossFrom ??= this.#lastFrameAt;
  }

  /** What the log remembers of the time before this process. From now on that stretch can be named. */
  rememberPast(lastReceived: ReadonlyMap<Subscription, Nanoseconds>): void {
    this.#past = { lastReceived };
    if (this.#firstFrameAt !== undefined) this.#offerGaps(this.#pastGaps(this.#firstFrameAt));
  }

  /** Takes one received frame and says what it was; a `reply` or `refusal` is the connection's to act on. */
  frame(bytes: Uint8Array, at: Nanoseconds): FrameReading {
    if (this.#session === undefined) throw new Error('a frame before the connection was opened');
    const reading = this.#session.read(bytes, at);
    if (reading.kind === 'data') this.#data(reading.records, bytes, at);
    return reading;
  }

  /** Sends gaps whose turn has come; called about once a second. */
  tick(now: Nanoseconds): void {
    this.#offerGaps(this.#gaps.due(now));
  }

  /** The end: nothing waits any more. */
  finish(now: Nanoseconds): void {
    this.#offerGaps(this.#gaps.flush(now));
  }

  #data(records: readonly FrameRecord[], bytes: Uint8Array, at: Nanoseconds): void {
    this.counts.frames += 1;
    this.#frameNumber += 1;
    const events: MarketEvent[] = this.#gapsBefore(at);
    const gaps: Gap[] = [];
    const deadLetters: DeadLetter[] = [];
    for (const [index, record] of records.entries()) {
      switch (record.outcome) {
        case 'event':
          this.#count(record.event.kind);
          this.#sawRecord(record.event.symbol, record.event.kind, at);
          events.push(record.event);
          break;
        case 'ignored':
          this.counts.ignored += 1;
          break;
        case 'rejected':
          this.#count('rejected');
          deadLetters.push(this.#deadLetter(record, index, bytes, deadLetters[0]));
          gaps.push(this.#undecodable(record, at));
          break;
      }
    }
    this.#lastFrameAt = at;
    this.#offer([...events, ...this.#spaced(gaps, at)], deadLetters, bytes.length);
  }

  #count(outcome: 'tick' | 'orderbook' | 'rejected'): void {
    this.counts.received += 1;
    this.counts[outcome] += 1;
  }

  #sawRecord(symbol: string, channel: 'tick' | 'orderbook', at: Nanoseconds): void {
    this.states.seen(symbol, channel);
    this.#lastRecordAt.set(`${channel} ${symbol}`, at);
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
    return this.#options.subscriptions.map((each) =>
      this.#gap(each, past.lastReceived.get(each) ?? 0n, to, 'RECONNECT', 'not running'),
    );
  }

  #undecodable(record: Extract<FrameRecord, { outcome: 'rejected' }>, at: Nanoseconds): Gap {
    const from = this.#lastRecordAt.get(`${record.channel} ${record.symbol}`) ?? this.#lastFrameAt ?? at;
    // Of a frame that cannot be read nobody can say how many records it carried.
    const missed = record.channel === undefined ? 0n : 1n;
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
