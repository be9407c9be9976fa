import type { Channel, MarketDataError, Nanoseconds } from '@aipx/market-model';
import type { Subscription } from '@aipx/venue';

/**
 * `requested`: asked for, nothing came yet. `registered`: nor did data come yet, but the venue said that it will when
 * there is any. `refused`: the venue said no. `unanswered`: it said nothing in time, though it answers for each. `active`:
 * data came on this connection. `silent`: nothing came within the time in which the venue answers a subscription, so the
 * code is unknown to it, or nothing is happening. `stale`: data came regularly, and has not come for far longer than ever
 * while other streams went on. `halted`: the venue said that trading in the symbol stands still, so that its silence is no
 * fault.
 */
export type SubscriptionState =
  'requested' | 'registered' | 'refused' | 'unanswered' | 'active' | 'silent' | 'stale' | 'halted';

/** Why a stream does not stand. */
export type Denial = { readonly refused: MarketDataError } | { readonly unanswered: MarketDataError };

/** What the venue said of a stream on the present connection. */
type Answer = 'none' | 'registered' | Denial;

export interface StreamStatus extends Subscription {
  readonly state: SubscriptionState;
  /** Why it is `refused` or `unanswered`. */
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
  /** Its last record, or up to where it was handed over before. */
  readonly from: Nanoseconds;
  readonly lastRecordAt: Nanoseconds;
}

/** Times in ms of its channel's busy clock, but for those in ns. */
interface Stream {
  readonly subscription: Subscription;
  /** Receive time of the last record, whichever connection brought it. */
  lastRecordAt: Nanoseconds | undefined;
  /** Of the last record before this process, until a record has come since that was known. */
  recordBeforeAt: Nanoseconds | undefined;
  /** What the venue said of it on the present connection. */
  answer: Answer;
  isActive: boolean;
  /** Since when nobody knows what was missed of it, and nobody has named it; absent where it is not stale. */
  staleFrom: Nanoseconds | undefined;
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
 * most a second apart: a lull of the whole venue, a paused socket or a sleeping machine is nobody's silence. Each channel's
 * runs only while its records come all the time: trades rest in an auction.
 */
export class SubscriptionStates {
  readonly #streams: readonly Stream[];
  readonly #byChannel: Readonly<Record<Channel, ReadonlyMap<string, Stream>>>;
  readonly #firstRecordWithin: Nanoseconds;
  readonly #staleAfterMs: number | undefined;
  #requestedAt: Nanoseconds | undefined;
  #frameAt: Nanoseconds = 0n;
  #busyMs: Record<Channel, number> = { tick: 0, orderbook: 0 };
  #isSteady: Readonly<Record<Channel, boolean>> = { tick: true, orderbook: true };

  constructor(subscriptions: readonly Subscription[], { firstRecordWithinMs, staleAfterMs }: StreamLimits) {
    this.#streams = subscriptions.map((subscription) => ({
      subscription,
      lastRecordAt: undefined,
      recordBeforeAt: undefined,
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
    this.#busyMs = { tick: 0, orderbook: 0 };
    for (const stream of this.#streams) {
      Object.assign(stream, unheard());
      if (daySince === undefined || stream.haltedAt < daySince) stream.isHalted = false;
    }
  }

  /** A frame of market data came, of whichever streams. */
  frame(at: Nanoseconds): void {
    const passedMs = Math.min(Number(at - this.#frameAt) / 1_000_000, LULL_MS);
    if (this.#isSteady.tick) this.#busyMs.tick += passedMs;
    if (this.#isSteady.orderbook) this.#busyMs.orderbook += passedMs;
    this.#frameAt = at;
  }

  /**
   * A record of the stream came in the frame at `at`, sound or not.
   *
   * @returns since when it was stale, if it was until now
   */
  seen(symbol: string, channel: Channel, at: Nanoseconds): StaleStretch | undefined {
    const stream = this.#byChannel[channel].get(symbol);
    if (stream === undefined) return undefined;
    // Whether the venue says so or not: trades are no halt. Books may change during one.
    if (stream.isHalted && channel === 'tick') this.halted(symbol, false, at);
    const stale = stretchOf(stream);
    const busyMs = this.#busyMs[channel];
    const pause = busyMs - stream.heardAt;
    stream.lastRecordAt = at;
    stream.recordBeforeAt = undefined;
    stream.heardAt = busyMs;
    stream.isActive = true;
    if (stale !== undefined) {
      // A fault is no habit, and habits have to show anew after it.
      stream.staleFrom = undefined;
      stream.watchedFrom = busyMs;
      return stale;
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
      if (!isHalted) stream.watchedFrom = stream.heardAt = this.#busyMs[stream.subscription.channel];
    }
  }

  /** In which channels records come all the time at present: a stream's silence counts in those alone. */
  steady(isSteady: Readonly<Record<Channel, boolean>>): void {
    this.#isSteady = isSteady;
  }

  /** Another session has begun, in which what is traded, and how often, is another matter. A stale stream still is. */
  sessionBegan(): void {
    for (const stream of this.#streams) {
      stream.watchedFrom = stream.heardAt = this.#busyMs[stream.subscription.channel];
      stream.longestPause = 0;
    }
  }

  /**
   * The venue said of a stream on the present connection that it stands, or why it does not; or it said nothing. One that does not
   * stand is silent for a reason: somebody has named the stretch in which it was stale.
   */
  answered({ symbol, channel }: Subscription, answer: Exclude<Answer, 'none'>): void {
    const stream = this.#byChannel[channel].get(symbol);
    if (stream === undefined) return;
    stream.answer = answer;
    if (answer !== 'registered') Object.assign(stream, { isActive: false, staleFrom: undefined });
  }

  /** The stream's last record before this process was received then. */
  recordedBefore({ symbol, channel }: Subscription, at: Nanoseconds): void {
    const stream = this.#byChannel[channel].get(symbol);
    if (stream !== undefined) stream.recordBeforeAt = at;
  }

  /** Receive time of the record that a loss follows which the next one shows: it may be of the time before this process. */
  lossFollows(symbol: string, channel: Channel): Nanoseconds | undefined {
    const stream = this.#byChannel[channel].get(symbol);
    return stream?.recordBeforeAt ?? stream?.lastRecordAt;
  }

  /** Receive time of the stream's last record, whichever connection brought it. */
  lastRecordAt(symbol: string, channel: Channel): Nanoseconds | undefined {
    return this.#byChannel[channel].get(symbol)?.lastRecordAt;
  }

  /** Streams that have become stale since the last call. */
  newlyStale(): readonly Subscription[] {
    const stale = this.#streams.filter((stream) => this.#hasBecomeStale(stream));
    for (const stream of stale) stream.staleFrom = stream.lastRecordAt;
    return stale.map(({ subscription }) => subscription);
  }

  /** The streams that are stale and since when. */
  staleStretches(): readonly StaleStretch[] {
    return stretchesOf(this.#streams);
  }

  /** Likewise; somebody names the stretches up to `at`, from where on the streams are stale still. */
  nextStale(at: Nanoseconds): readonly StaleStretch[] {
    const stretches = this.staleStretches();
    for (const stream of this.#streams) if (stream.staleFrom !== undefined) stream.staleFrom = at;
    return stretches;
  }

  /** Likewise, of all or of one; they are stale no more, and somebody names the stretches. */
  endStale(only?: Subscription): readonly StaleStretch[] {
    const isMeant = ({ symbol, channel }: Subscription) =>
      only === undefined || (symbol === only.symbol && channel === only.channel);
    const streams = this.#streams.filter(({ subscription }) => isMeant(subscription));
    const stretches = stretchesOf(streams);
    for (const stream of streams) stream.staleFrom = undefined;
    return stretches;
  }

  list(now: Nanoseconds): readonly StreamStatus[] {
    const isOverdue = this.#requestedAt !== undefined && now - this.#requestedAt >= this.#firstRecordWithin;
    const unheardOf = isOverdue ? 'silent' : 'requested';
    return this.#streams.map(({ subscription, isActive, staleFrom, isHalted, answer }) => {
      if (isHalted) return { ...subscription, state: 'halted' };
      if (staleFrom !== undefined) return { ...subscription, state: 'stale' };
      if (isActive) return { ...subscription, state: 'active' };
      if (answer === 'none') return { ...subscription, state: unheardOf };
      if (answer === 'registered') return { ...subscription, state: answer };
      if ('refused' in answer) return { ...subscription, state: 'refused', error: answer.refused };
      return { ...subscription, state: 'unanswered', error: answer.unanswered };
    });
  }

  #hasBecomeStale({
    subscription,
    isActive,
    staleFrom,
    isHalted,
    heardAt,
    watchedFrom,
    longestPause,
  }: Stream): boolean {
    if (this.#staleAfterMs === undefined || !isActive || staleFrom !== undefined || isHalted) return false;
    const limit = Math.max(this.#staleAfterMs, PAUSES * longestPause);
    return heardAt - watchedFrom >= limit && this.#busyMs[subscription.channel] - heardAt > limit;
  }

  #ofChannel(channel: Channel): ReadonlyMap<string, Stream> {
    const streams = this.#streams.filter(({ subscription }) => subscription.channel === channel);
    return new Map(streams.map((stream) => [stream.subscription.symbol, stream]));
  }
}

function stretchesOf(streams: readonly Stream[]): readonly StaleStretch[] {
  return streams.flatMap((stream) => stretchOf(stream) ?? []);
}

/** `undefined` where the stream is not stale. */
function stretchOf({ subscription, staleFrom, lastRecordAt = 0n }: Stream): StaleStretch | undefined {
  return staleFrom === undefined ? undefined : { subscription, from: staleFrom, lastRecordAt };
}

function unheard() {
  const flags = { isActive: false, staleFrom: undefined };
  return { answer: 'none' as const, ...flags, watchedFrom: 0, heardAt: 0, longestPause: 0 };
}
