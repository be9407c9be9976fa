import { MarketDataError, type Channel, type Nanoseconds } from '@aipx/market-model';
import type { Subscription } from '@aipx/venue';

/**
 * `requested`: asked for, nothing came yet. `registered`: nor did data come yet, but the venue said that it will when there is
 * any. `refused`: the venue said no. `active`: data came on this connection. `silent`: nothing came within the
 * time in which the venue answers a subscription, so the code is unknown to it, or nothing is happening. `stale`: data
 * came regularly, and has not come for far longer than ever while other streams went on. `halted`: the venue said that trading
 * in the symbol stands still, so that its silence is no fault.
 */
export type SubscriptionState = 'requested' | 'registered' | 'refused' | 'active' | 'silent' | 'stale' | 'halted';

export interface StreamStatus extends Subscription {
  readonly state: SubscriptionState;
  /** Why it is `refused`. */
  readonly error?: MarketDataError;
}

export interface StreamLimits {
  /** How long, ms, the first record of a subscription may take before it counts as silent. */
  readonly firstRecordWithinMs: number;
  /** Shortest silence, ms, after which a regular stream may count as stale. Absent: none does. */
  readonly staleAfterMs?: number;
}

/** A stretch of which nobody can say what was missed in it. */
export interface StaleStretch {
  readonly subscription: Subscription;
  readonly from: Nanoseconds;
}

/** Times in ms of the busy clock, but for `lastRecordAt`. */
interface Stream {
  readonly subscription: Subscription;
  /** Receive time of the last record, whichever connection brought it. */
  lastRecordAt: Nanoseconds | undefined;
  /** What the venue said of it on the present connection. */
  answer: 'none' | 'registered' | MarketDataError;
  isActive: boolean;
  isStale: boolean;
  isHalted: boolean;
  /** When the venue said so. */
  haltedAt: Nanoseconds;
  watchedFrom: number;
  heardAt: number;
  longestPause: number;
}

/** Times its longest pause: so long a stream must have been watched to be regular, and be silent to be stale. */
const PAUSES = 20;
const LULL_MS = 1_000;

/**
 * Knows of each subscribed stream whether data came on the present connection, and whether it has fallen silent among
 * busy ones.
 *
 * A stream that has been watched for twenty times its longest pause is regular; silent for as long, it is stale. So a
 * stream that comes in bursts never is. Both are measured by a clock that runs only while frames of any stream come at
 * most a second apart: a lull of the whole venue, a paused socket or a sleeping machine is nobody's silence.
 */
export class SubscriptionStates {
  readonly #streams: readonly Stream[];
  readonly #byChannel: Readonly<Record<Channel, ReadonlyMap<string, Stream>>>;
  readonly #firstRecordWithin: Nanoseconds;
  readonly #staleAfterMs: number | undefined;
  #requestedAt: Nanoseconds | undefined;
  #frameAt: Nanoseconds = 0n;
  #busyMs = 0;

  constructor(subscriptions: readonly Subscription[], { firstRecordWithinMs, staleAfterMs }: StreamLimits) {
    this.#streams = subscriptions.map((subscription) => ({
      subscription,
      lastRecordAt: undefined,
      isHalted: false,
      haltedAt: 0n,
      ...unheard(),
    }));
    this.#byChannel = { tick: this.#ofChannel('tick'), orderbook: this.#ofChannel('orderbook') };
    this.#firstRecordWithin = BigInt(firstRecordWithinMs) * 1_000_000n;
    this.#staleAfterMs = staleAfterMs;
  }

  /**
   * A connection stands and the subscription was sent at `at`: habits of the one before are forgotten.
   *
   * @param daySince halts that the venue told of since then still hold; it does not tell of them again. Absent: none does
   */
  requested(at: Nanoseconds, daySince?: Nanoseconds): void {
    this.#requestedAt = at;
    this.#frameAt = at;
    this.#busyMs = 0;
    for (const stream of this.#streams) {
      Object.assign(stream, unheard());
      if (daySince === undefined || stream.haltedAt < daySince) stream.isHalted = false;
    }
  }

  /** A frame of market data came, of whichever streams. */
  frame(at: Nanoseconds): void {
    this.#busyMs += Math.min(Number(at - this.#frameAt) / 1_000_000, LULL_MS);
    this.#frameAt = at;
  }

  /**
   * A record of the stream came in the frame at `at`, sound or not.
   *
   * @returns when the record before it came, if the stream was stale until now
   */
  seen(symbol: string, channel: Channel, at: Nanoseconds): Nanoseconds | undefined {
    const stream = this.#byChannel[channel].get(symbol);
    if (stream === undefined) return undefined;
    // Whether the venue says so or not: trades are no halt. Books may change during one.
    if (stream.isHalted && channel === 'tick') this.halted(symbol, false, at);
    const before = stream.lastRecordAt;
    const pause = this.#busyMs - stream.heardAt;
    stream.lastRecordAt = at;
    stream.heardAt = this.#busyMs;
    stream.isActive = true;
    if (stream.isStale) {
      // A fault is no habit, and habits have to show anew after it.
      stream.isStale = false;
      stream.watchedFrom = this.#busyMs;
      return before;
    }
    if (pause > stream.longestPause && !stream.isHalted) stream.longestPause = pause;
    return undefined;
  }

  /** The venue said that trading in the symbol stands still, or goes on. What came of it meanwhile shows no habits. */
  halted(symbol: string, isHalted: boolean, at: Nanoseconds): void {
    for (const streams of Object.values(this.#byChannel)) {
      const stream = streams.get(symbol);
      if (stream === undefined) continue;
      stream.haltedAt = at;
      if (stream.isHalted === isHalted) continue;
      stream.isHalted = isHalted;
      if (!isHalted) stream.watchedFrom = stream.heardAt = this.#busyMs;
    }
  }

  /** The venue said of a stream on the present connection that it stands, or why it does not. */
  answered({ symbol, channel }: Subscription, error: MarketDataError | undefined): void {
    const stream = this.#byChannel[channel].get(symbol);
    if (stream === undefined) return;
    stream.answer = error ?? 'registered';
    if (error !== undefined) stream.isActive = false;
  }

  /** Receive time of the stream's last record, whichever connection brought it. */
  lastRecordAt(symbol: string, channel: Channel): Nanoseconds | undefined {
    return this.#byChannel[channel].get(symbol)?.lastRecordAt;
  }

  /** Streams that have become stale since the last call. */
  newlyStale(): readonly Subscription[] {
    const stale = this.#streams.filter((stream) => this.#hasBecomeStale(stream));
    for (const stream of stale) stream.isStale = true;
    return stale.map(({ subscription }) => subscription);
  }

  /** The streams that are stale and since when, which from now on they are no more: somebody names the stretch. */
  endStale(): readonly StaleStretch[] {
    const stale = this.#streams.filter(({ isStale }) => isStale);
    for (const stream of stale) stream.isStale = false;
    return stale.map(({ subscription, lastRecordAt = 0n }) => ({ subscription, from: lastRecordAt }));
  }

  list(now: Nanoseconds): readonly StreamStatus[] {
    const isOverdue = this.#requestedAt !== undefined && now - this.#requestedAt >= this.#firstRecordWithin;
    const unheardOf = isOverdue ? 'silent' : 'requested';
    return this.#streams.map(({ subscription, isActive, isStale, isHalted, answer }) => {
      if (isHalted) return { ...subscription, state: 'halted' };
      if (isStale) return { ...subscription, state: 'stale' };
      if (isActive) return { ...subscription, state: 'active' };
      if (answer instanceof MarketDataError) return { ...subscription, state: 'refused', error: answer };
      return { ...subscription, state: answer === 'registered' ? 'registered' : unheardOf };
    });
  }

  #hasBecomeStale({ isActive, isStale, isHalted, heardAt, watchedFrom, longestPause }: Stream): boolean {
    if (this.#staleAfterMs === undefined || !isActive || isStale || isHalted) return false;
    const limit = Math.max(this.#staleAfterMs, PAUSES * longestPause);
    return heardAt - watchedFrom >= limit && this.#busyMs - heardAt > limit;
  }

  #ofChannel(channel: Channel): ReadonlyMap<string, Stream> {
    const streams = this.#streams.filter(({ subscription }) => subscription.channel === channel);
    return new Map(streams.map((stream) => [stream.subscription.symbol, stream]));
  }
}

function unheard() {
  const flags = { isActive: false, isStale: false };
  return { answer: 'none' as const, ...flags, watchedFrom: 0, heardAt: 0, longestPause: 0 };
}
