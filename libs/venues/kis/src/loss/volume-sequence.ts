import { MarketDataError } from '@aipx/market-model';
import { parseBusinessDate, type BusinessDate } from '../calendar/kst.js';
import { parseTradeId } from '../record/trade-id.js';
import { fill, type Interval } from './intervals.js';

/** A trade as far as it tells what came before it. Volumes in shares. */
export interface VolumeStep {
  readonly businessDate: BusinessDate;
  readonly volume: bigint;
  /** Traded on that day, this trade included. */
  readonly cumulativeVolume: bigint;
}

/** What a trade says about those before it. */
export type Sighting =
  /** Nothing is known of this day yet. `before` was traded earlier on it: 0 when this is its first trade. */
  | { readonly kind: 'first'; readonly before: bigint }
  /** Follows the last one without a gap. */
  | { readonly kind: 'next' }
  /** Exactly `missedVolume` shares were traded between the last one and this. */
  | { readonly kind: 'loss'; readonly missedVolume: bigint }
  /** Late: all of it belongs to what was missing. */
  | { readonly kind: 'recovered' }
  /** All of it was seen before. */
  | { readonly kind: 'repeated' }
  /** Late, and from where missing stretches are no longer remembered: seen before or not, nobody knows. */
  | { readonly kind: 'unknown' }
  /** `seenVolume` of its shares were seen before, the rest was not: no split of a day into trades explains that. */
  | { readonly kind: 'overlap'; readonly seenVolume: bigint }
  /** Of a day before the present one, which is closed. */
  | { readonly kind: 'earlier-day' };

/** A sequence as plain JSON, to outlive a connection or a process. */
export interface SequenceState {
  readonly businessDate: string;
  readonly cumulativeVolume: string;
  /** Missing stretches, lowest first: `[after, through]`. */
  readonly missing: readonly (readonly [string, string])[];
  /** Up to here missing stretches may have been forgotten; 0 where none was. */
  readonly forgottenUpTo: string;
}

/** Missing stretches that are remembered, so that late trades are told from repeated ones; the oldest go first. */
const MAX_HOLES = 256;

/**
 * The trades of one symbol in one segment, without a sequence number: KIS prints the size of each trade and the volume of
 * the day with it, so `cumulative - size` is the cumulative volume of the trade before (as captured). A new business date
 * begins at 0.
 */
export class VolumeSequence {
  #date: BusinessDate | undefined;
  #last = 0n;
  #holes: readonly Interval[] = [];
  #forgottenUpTo = 0n;
  #repeated = 0;

  /** Goes on after a stored trade: everything up to it counts as seen. @throws {MarketDataError} `VALIDATION_RECORD` */
  static afterTrade(tradeId: string): VolumeSequence {
    const { businessDate, cumulativeVolume } = parseTradeId(tradeId);
    return VolumeSequence.#at(businessDate, cumulativeVolume, [], 0n);
  }

  /** Goes on where `state` was taken. @throws {MarketDataError} `VALIDATION_RECORD` when it is no such state */
  static from(state: SequenceState): VolumeSequence {
    try {
      const holes = state.missing.map(([from, to]) => ({ from: BigInt(from), to: BigInt(to) }));
      const date = parseBusinessDate(state.businessDate);
      return VolumeSequence.#at(date, BigInt(state.cumulativeVolume), holes, BigInt(state.forgottenUpTo));
    } catch (cause) {
      throw new MarketDataError('VALIDATION_RECORD', 'the stored state of a volume sequence cannot be read', { cause });
    }
  }

  static #at(date: BusinessDate, last: bigint, holes: readonly Interval[], forgottenUpTo: bigint): VolumeSequence {
    const sequence = new VolumeSequence();
    sequence.#date = date;
    sequence.#last = last;
    sequence.#holes = holes;
    sequence.#forgottenUpTo = forgottenUpTo;
    return sequence;
  }

  /** Records that were seen before, since this object exists. */
  get repeated(): number {
    return this.#repeated;
  }

  /** Shares of the present day that were traded and not seen, those before the first trade included, as far as is remembered. */
  get missingVolume(): bigint {
    return this.#holes.reduce((sum, { from, to }) => sum + to - from, 0n);
  }

  observe({ businessDate, volume, cumulativeVolume }: VolumeStep): Sighting {
    const before = cumulativeVolume - volume;
    if (this.#date === undefined || businessDate > this.#date)
      return this.#begin(businessDate, before, cumulativeVolume);
    if (businessDate < this.#date) return { kind: 'earlier-day' };
    const missedVolume = before - this.#last;
    if (missedVolume >= 0n) {
      if (missedVolume > 0n) this.#remember({ from: this.#last, to: before });
      this.#last = cumulativeVolume;
      return missedVolume === 0n ? { kind: 'next' } : { kind: 'loss', missedVolume };
    }
    return this.#behind({ from: before, to: cumulativeVolume });
  }

  /** `undefined` before the first trade. */
  state(): SequenceState | undefined {
    if (this.#date === undefined) return undefined;
    return {
      businessDate: this.#date,
      cumulativeVolume: String(this.#last),
      missing: this.#holes.map(({ from, to }) => [String(from), String(to)]),
      forgottenUpTo: String(this.#forgottenUpTo),
    };
  }

  #begin(date: BusinessDate, before: bigint, last: bigint): Sighting {
    this.#date = date;
    this.#last = last;
    this.#holes = before > 0n ? [{ from: 0n, to: before }] : [];
    this.#forgottenUpTo = 0n;
    return { kind: 'first', before };
  }

  /** A trade that begins before the last one ended. */
  #behind(trade: Interval): Sighting {
    const { left, volume } = fill(this.#holes, trade);
    const beyond = trade.to > this.#last ? trade.to - this.#last : 0n;
    const unseen = volume + beyond;
    const size = trade.to - trade.from;
    this.#keep(left);
    this.#last += beyond;
    if (unseen === 0n) {
      if (trade.from < this.#forgottenUpTo) return { kind: 'unknown' };
      this.#repeated += 1;
      return { kind: 'repeated' };
    }
    return unseen === size ? { kind: 'recovered' } : { kind: 'overlap', seenVolume: size - unseen };
  }

  #remember(hole: Interval): void {
    this.#keep([...this.#holes, hole]);
  }

  #keep(holes: readonly Interval[]): void {
    this.#forgottenUpTo = holes.at(-MAX_HOLES - 1)?.to ?? this.#forgottenUpTo;
    this.#holes = holes.slice(-MAX_HOLES);
  }
}
