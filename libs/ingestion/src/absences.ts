import type { Channel, Nanoseconds } from '@aipx/market-model';
import type { Subscription, VenueDriver } from '@aipx/venue';

/** How late a venue may send what belongs to a session. */
const LATE: Nanoseconds = 300_000_000_000n;

/** When a venue sends. */
export type VenueHours = Pick<VenueDriver, 'isDataExpected' | 'dataExpectedFrom'>;

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

/** A stretch in which something may have been missed. */
export interface MissedStretch {
  readonly subscription: Subscription;
  readonly from: Nanoseconds;
  readonly to: Nanoseconds;
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
  isOfPast: boolean;
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

  /** The venue says at `at` that it does not send the stream, or no more; its last record came at `lastRecordAt`. */
  refused(subscription: Subscription, lastRecordAt: Nanoseconds | undefined, at: Nanoseconds, reason: string): void {
    const stream = this.#streams.get(streamName(subscription));
    if (stream === undefined || stream.absence !== undefined) return;
    this.#leave(stream, { from: lastRecordAt ?? at, heardUntil: at, dataAt: lastRecordAt, detail: reason });
  }

  /**
   * Learns of the time before this process. The stretch begins with 0 where nothing is known of it.
   *
   * @returns what was missed before it stood first, if it has; `whole` where that is nothing
   */
  before(subscription: Subscription, { lastReceived, listenedUntil }: StreamPast): MissedStretch | 'whole' | undefined {
    const stream = this.#streams.get(streamName(subscription));
    if (stream === undefined) return undefined;
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

  /** What was missed since the process began is named up to now, though nothing stands. */
  namedUntil(at: Nanoseconds): readonly MissedStretch[] {
    const left = [...this.#away].filter(({ absence, isOfPast }) => absence !== undefined && !isOfPast);
    return left.flatMap((stream) => {
      const missed = stream.absence && this.#missed(stream, stream.absence, at, at);
      if (stream.firstStoodAt !== undefined) stream.stoodAt = at;
      stream.absence = undefined;
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
    Object.assign(stream, { stoodAt: at, absence: undefined, isOfPast: false });
    if (absence === undefined) return [];
    const missed = this.#missed(stream, absence, at, wholeFrom);
    if (missed !== undefined) return [missed];
    if (isOfPast) onPast(subscription);
    return [];
  }

  #isWhole({ firstStoodAt, absence }: Stream, until: Nanoseconds): boolean {
    if (absence === undefined) return firstStoodAt !== undefined;
    return missedFrom(this.#hours, absence, until) === undefined;
  }

  #missed(
    { subscription }: Stream,
    absence: Absence,
    to: Nanoseconds,
    wholeFrom: Nanoseconds,
  ): MissedStretch | undefined {
    const from = missedFrom(this.#hours, absence, wholeFrom);
    if (from === undefined) return undefined;
    // A clock that was set back cannot make a stretch of negative length.
    return { subscription, from: from < to ? from : to, to, detail: absence.detail };
  }
}

/** Since when data may have been missed; `undefined` when the venue sends none until then. */
function missedFrom(
  hours: VenueHours,
  { from, heardUntil, dataAt }: Absence,
  until: Nanoseconds,
): Nanoseconds | undefined {
  const { isDataExpected, dataExpectedFrom } = hours;
  if (isDataExpected === undefined || heardUntil === undefined) return from;
  const mayCome = (at: Nanoseconds) => isDataExpected(at) || isDataExpected(at - LATE);
  if (mayCome(heardUntil)) return from;
  // It sent although nothing was expected: what is expected of it is wrong today.
  if (dataAt !== undefined && !mayCome(dataAt)) return from;
  const next = dataExpectedFrom?.(heardUntil);
  if (next === undefined) return from;
  return next >= until ? undefined : later(from, next);
}

function unheardOf(subscription: Subscription): Stream {
  const never = { firstStoodAt: undefined, stoodAt: 0n, firstWholeFrom: 0n };
  return { subscription, ...never, absence: undefined, isOfPast: false };
}

function later(a: Nanoseconds, b: Nanoseconds): Nanoseconds {
  return a > b ? a : b;
}

function streamName({ channel, symbol }: Subscription): string {
  return `${channel} ${symbol}`;
}
