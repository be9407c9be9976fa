import type { Channel, Nanoseconds } from '@aipx/market-model';
import type { Stretch, Subscription, VenueDriver } from '@aipx/venue';
import { streamName } from './stream-name.js';

/** When a venue sends. */
export type VenueHours = Pick<VenueDriver, 'mayHaveSent'>;

/** Since when nobody listened, as far as that is known. */
export interface Absence {
  /** Last known to be whole. */
  readonly from: Nanoseconds;
  /** Up to then it was listened to for sure. Not before `from`. Absent: nobody knows. */
  readonly heardUntil?: Nanoseconds | undefined;
  /** When data came last. Absent: nobody knows. */
  readonly dataAt?: Nanoseconds | undefined;
  readonly detail: string;
}

/** What is known of a stream from before this process. */
export interface StreamPast {
  /** When its last record was received, as the log and the disk remember. */
  readonly lastReceived?: Nanoseconds | undefined;
  /** Until when nothing of it was missed, as the process before has left word. */
  readonly listenedUntil?: Nanoseconds | undefined;
}

/** A stretch in which something may have been missed: of an absence, the hours in which data was possible. */
export interface MissedStretch extends Stretch {
  readonly subscription: Subscription;
  readonly detail: string;
}

interface Stream {
  readonly subscription: Subscription;
  firstStoodAt: Nanoseconds | undefined;
  /** When it stood last, having not stood before. */
  stoodAt: Nanoseconds;
  /** From when on nothing is missed, of the first time. */
  firstWholeFrom: Nanoseconds;
  absence: Absence | undefined;
  /** Whether what was missed before this process is named, or is the absence. */
  isPastKnown: boolean;
  isOfPast: boolean;
  /** By the venue, in this process, since it stood last: it may never stand again. */
  isRefused: boolean;
}

/** Knows of each stream whether it is listened to, and, once it is again, what may have been missed meanwhile. */
export class Absences {
  readonly #hours: VenueHours;
  readonly #streams: ReadonlyMap<string, Stream>;
  /** That do not stand. */
  readonly #away: Set<Stream>;

  constructor(subscriptions: readonly Subscription[], hours: VenueHours) {
    this.#hours = hours;
    this.#streams = new Map(
      subscriptions.map((subscription) => [streamName(subscription), unheardOf(subscription)] as const),
    );
    this.#away = new Set(this.#streams.values());
  }

  /** Whether all streams stand. Asked for every frame. */
  get isNobodyAway(): boolean {
    return this.#away.size === 0;
  }

  /** Streams of which all that the venue sent up to `until` came, or is named. */
  whole(until: Nanoseconds): readonly Subscription[] {
    const streams = [...this.#streams.values()];
    return streams.filter((stream) => this.#isWhole(stream, until)).map(({ subscription }) => subscription);
  }

  /** The connection is gone. Streams that never stood were not listened to before either. */
  connectionLost(lastFrameAt: Nanoseconds | undefined, aliveAt: Nanoseconds): void {
    for (const stream of this.#streams.values()) {
      if (stream.firstStoodAt === undefined || stream.absence !== undefined) continue;
      const from = later(stream.stoodAt, lastFrameAt ?? 0n);
      this.#leave(stream, { from, heardUntil: later(from, aliveAt), dataAt: lastFrameAt, detail: 'connection lost' });
    }
  }

  /** The venue says that it does not send the stream, or no more. */
  refused(subscription: Subscription, absence: Absence): void {
    const stream = this.#streams.get(streamName(subscription));
    if (stream === undefined) return;
    stream.isRefused = true;
    if (stream.absence === undefined) this.#leave(stream, absence);
  }

  /**
   * Learns of the time before this process. The stretch begins with 0 where nothing is known of it.
   *
   * @returns what was missed before it stood first, if it has; `whole` where that is nothing
   */
  before(subscription: Subscription, { lastReceived, listenedUntil }: StreamPast): MissedStretch | 'whole' | undefined {
    const stream = this.#streams.get(streamName(subscription));
    if (stream === undefined) return undefined;
    stream.isPastKnown = true;
    const from = lastReceived ?? listenedUntil ?? 0n;
    const heardUntil = listenedUntil === undefined ? undefined : later(from, listenedUntil);
    const absence = { from, heardUntil, dataAt: lastReceived, detail: 'not running' };
    if (stream.firstStoodAt === undefined) {
      stream.isOfPast = true;
      this.#leave(stream, absence);
      return undefined;
    }
    return this.#missed(stream, absence, stream.firstStoodAt, stream.firstWholeFrom) ?? 'whole';
  }

  /** Nothing can be missing of these of the time before this process. */
  nothingBefore(subscriptions: readonly Subscription[]): void {
    for (const subscription of subscriptions) {
      const stream = this.#streams.get(streamName(subscription));
      if (stream !== undefined) stream.isPastKnown = true;
    }
  }

  /** Another process had its last record then. Returns whether that shortens what was missed. */
  recordedMeanwhile(subscription: Subscription, lastReceived: Nanoseconds): boolean {
    const stream = this.#streams.get(streamName(subscription));
    if (stream?.absence === undefined || lastReceived <= (stream.absence.heardUntil ?? stream.absence.from))
      return false;
    stream.absence = { ...stream.absence, from: lastReceived, heardUntil: undefined, dataAt: lastReceived };
    return true;
  }

  /**
   * All streams stand, since `wholeFrom`.
   *
   * @param at when that is known
   * @param onPast a stream of which nothing was missed before this process
   */
  allStand(at: Nanoseconds, wholeFrom: Nanoseconds, onPast: (whole: Subscription) => void): readonly MissedStretch[] {
    return [...this.#away].flatMap((stream) => this.#stands(stream, at, wholeFrom, onPast));
  }

  /** The stream stands. */
  stands(
    symbol: string,
    channel: Channel,
    at: Nanoseconds,
    onPast: (whole: Subscription) => void,
  ): readonly MissedStretch[] {
    const stream = this.#streams.get(streamName({ symbol, channel }));
    return stream === undefined || !this.#away.has(stream) ? [] : this.#stands(stream, at, at, onPast);
  }

  /** What was missed since the process began is named up to now, though nothing stands. Refused streams apart. */
  namedUntil(at: Nanoseconds): readonly MissedStretch[] {
    const left = [...this.#away].filter(({ isOfPast, isRefused }) => !isOfPast && !isRefused);
    return left.flatMap((stream) => {
      const missed = stream.absence && this.#missed(stream, stream.absence, at, at);
      if (stream.firstStoodAt !== undefined) stream.stoodAt = at;
      stream.absence = undefined;
      return missed ?? [];
    });
  }

  /**
   * What was missed of the streams that the venue refuses is named up to now, the time before this process included; what
   * follows is missed too.
   */
  refusedUntil(at: Nanoseconds, onPast: (whole: Subscription) => void): readonly MissedStretch[] {
    return [...this.#away].flatMap((stream) => {
      const { absence, isRefused, isOfPast, subscription } = stream;
      if (!isRefused || absence === undefined) return [];
      const missed = this.#missed(stream, absence, at, at);
      if (missed === undefined && isOfPast) onPast(subscription);
      Object.assign(stream, { absence: { ...absence, from: at, heardUntil: at }, isOfPast: false });
      return missed ?? [];
    });
  }

  #leave(stream: Stream, absence: Absence): void {
    stream.absence = absence;
    this.#away.add(stream);
  }

  #stands(
    stream: Stream,
    at: Nanoseconds,
    wholeFrom: Nanoseconds,
    onPast: (whole: Subscription) => void,
  ): readonly MissedStretch[] {
    const { absence, isOfPast, subscription } = stream;
    this.#away.delete(stream);
    if (stream.firstStoodAt === undefined) Object.assign(stream, { firstStoodAt: at, firstWholeFrom: wholeFrom });
    Object.assign(stream, { stoodAt: at, absence: undefined, isOfPast: false, isRefused: false });
    if (absence === undefined) return [];
    const missed = this.#missed(stream, absence, at, wholeFrom);
    if (missed !== undefined) return [missed];
    if (isOfPast) onPast(subscription);
    return [];
  }

  #isWhole({ firstStoodAt, absence, isPastKnown }: Stream, until: Nanoseconds): boolean {
    if (!isPastKnown) return false;
    if (absence === undefined) return firstStoodAt !== undefined;
    if (absence.from >= until) return true;
    return missedIn(this.#hours, absence, until) === undefined;
  }

  #missed(
    { subscription }: Stream,
    absence: Absence,
    at: Nanoseconds,
    wholeFrom: Nanoseconds,
  ): MissedStretch | undefined {
    const missed = missedIn(this.#hours, absence, wholeFrom);
    if (missed === undefined) return undefined;
    const { from, to } = missed.to === wholeFrom ? { from: missed.from, to: at } : missed;
    return { subscription, from: from < to ? from : to, to, detail: absence.detail };
  }
}

/** In which data may have been missed, of an absence until `until`; `undefined` when the venue sent none meanwhile. */
export function missedIn(
  { mayHaveSent }: VenueHours,
  { from, heardUntil, dataAt }: Omit<Absence, 'detail'>,
  until: Nanoseconds,
): Stretch | undefined {
  const all = { from, to: until };
  const since = heardUntil ?? from;
  // A clock that was set back cannot make a stretch of negative length.
  if (mayHaveSent === undefined || since > until) return all;
  // It sent although it could not have: what is known of its hours is wrong today.
  if (dataAt !== undefined && mayHaveSent({ from: dataAt, to: dataAt }) === undefined) return all;
  const possible = mayHaveSent({ from: since, to: until });
  if (possible === undefined) return undefined;
  return { from: possible.from === since ? from : possible.from, to: possible.to };
}

function unheardOf(subscription: Subscription): Stream {
  const never = { firstStoodAt: undefined, stoodAt: 0n, firstWholeFrom: 0n };
  return { subscription, ...never, absence: undefined, isPastKnown: false, isOfPast: false, isRefused: false };
}

function later(a: Nanoseconds, b: Nanoseconds): Nanoseconds {
  return a > b ? a : b;
}
