import type { Decimal, Nanoseconds, Tick } from '@aipx/market-model';
import type { FrameRecord, SessionMemory } from '@aipx/venue';
import type { SessionCalendar } from '../calendar/calendar.js';
import { kstInstant } from '../calendar/kst.js';
import type { Segment } from '../layout/streams.js';
import { VolumeSequence, type SequenceState, type Sighting } from '../loss/volume-sequence.js';
import { parseTradeId } from '../record/trade-id.js';
import { RecentTrades } from './recent-trades.js';

export type Missing = Extract<FrameRecord, { outcome: 'gap' }>;

/** What a trade shows: whether the same one came before, what is missing before it, and what contradicts those before it. */
export interface Observed {
  readonly isRepeated: boolean;
  readonly missing: readonly Missing[];
  readonly notice: string | undefined;
}

/** The volumes of every symbol, from one connection and one process to the next. */
export class VolumeMemory implements SessionMemory {
  readonly #calendar: SessionCalendar;
  /** By segment and symbol: each segment counts its own volume. */
  readonly #sequences = new Map<string, VolumeSequence>();
  /** By segment and symbol too. */
  readonly #recent = new Map<string, RecentTrades>();
  /** Found to be missing when an earlier trade was learned of: told with the next trade. By segment and symbol too. */
  readonly #found = new Map<string, bigint>();

  constructor(calendar: SessionCalendar) {
    this.#calendar = calendar;
  }

  /** Volumes begin at 0 on each trading day. */
  usefulSince(at: Nanoseconds): Nanoseconds {
    return kstInstant(this.#calendar.businessDateOf(at), 0);
  }

  resume(trade: Tick): void {
    const { symbol, tradeId } = trade;
    const { segment, businessDate, cumulativeVolume } = parseTradeId(tradeId);
    const name = nameOf(segment, symbol);
    this.#recentOf(name).add(trade);
    const state = this.#sequences.get(name)?.state();
    if (state === undefined || isBehind(state, businessDate, cumulativeVolume)) {
      this.#sequences.set(name, VolumeSequence.afterTrade(tradeId));
      return;
    }
    if (state.businessDate !== businessDate) return;
    const missed = this.#fillBeginning(name, state, cumulativeVolume);
    if (missed > 0n) this.#found.set(name, (this.#found.get(name) ?? 0n) + missed);
  }

  /** The same trade is known again all the same, and what was found to be missing is. */
  forget(symbol: string): void {
    for (const name of this.#sequences.keys()) if (name.endsWith(` ${symbol}`)) this.#sequences.delete(name);
  }

  /**
   * Volumes alone never make a trade a repeated one: a counter that begins anew would cost all that comes behind it.
   *
   * @param trade one that is sound
   */
  observe(trade: Tick): Observed {
    const { segment, businessDate, cumulativeVolume } = parseTradeId(trade.tradeId);
    const name = nameOf(segment, trade.symbol);
    let sequence = this.#sequences.get(name);
    const dayBefore = sequence?.state()?.businessDate;
    if (sequence === undefined) this.#sequences.set(name, (sequence = new VolumeSequence()));
    const sighting = sequence.observe({ businessDate, volume: BigInt(trade.volume), cumulativeVolume });
    const missed = missedBy(sighting, dayBefore !== undefined) + (this.#found.get(name) ?? 0n);
    this.#found.delete(name);
    const missing = missed > 0n ? [missingVolume(trade.symbol, missed)] : [];
    const isRepeated = this.#recentOf(name).add(trade);
    return { isRepeated, missing, notice: isRepeated ? undefined : noticeOf(sighting, trade.symbol) };
  }

  #recentOf(name: string): RecentTrades {
    const known = this.#recent.get(name);
    if (known !== undefined) return known;
    const recent = new RecentTrades();
    this.#recent.set(name, recent);
    return recent;
  }

  /** The first trade of this process came before the last stored one was known: what lies between the two is missing. */
  #fillBeginning(name: string, state: SequenceState, stored: bigint): bigint {
    const [beginning, ...others] = state.missing;
    if (beginning?.[0] !== '0') return 0n;
    const firstSeen = BigInt(beginning[1]);
    const isMissing = firstSeen > stored;
    const missing = isMissing ? [[String(stored), beginning[1]] as const, ...others] : others;
    this.#sequences.set(name, VolumeSequence.from({ ...state, missing }));
    return isMissing ? firstSeen - stored : 0n;
  }
}

/** Another process has gone on from there: what it missed it has named. */
function isBehind(state: SequenceState, businessDate: string, cumulativeVolume: bigint): boolean {
  if (state.businessDate !== businessDate) return state.businessDate < businessDate;
  return BigInt(state.cumulativeVolume) < cumulativeVolume;
}

function nameOf(segment: Segment, symbol: string): string {
  return `${segment} ${symbol}`;
}

/** Before a day's first trade that is seen, something is only known to be missing where the day before is known. */
function missedBy(sighting: Sighting, isDayBeforeKnown: boolean): bigint {
  if (sighting.kind === 'loss') return sighting.missedVolume;
  return sighting.kind === 'first' && isDayBeforeKnown ? sighting.before : 0n;
}

/** The same text for all of a symbol: a log has it once. */
function noticeOf({ kind }: Sighting, symbol: string): string | undefined {
  switch (kind) {
    case 'repeated':
      return `the volumes of ${symbol} say that trades came before, which are not known as such: they are kept`;
    case 'overlap':
      return `the volumes of ${symbol} overlap: trades say that shares were traded twice; they are kept`;
    case 'earlier-day':
      return `trades of ${symbol} have a business date before the present one; they are kept`;
    case 'first':
    case 'next':
    case 'loss':
    case 'recovered':
    case 'unknown':
      return undefined;
  }
}

function missingVolume(symbol: string, volume: bigint): Missing {
  return {
    outcome: 'gap',
    symbol,
    channel: 'tick',
    missed: 0n,
    missedVolume: String(volume) as Decimal,
    detail: 'the cumulative volume shows trades that did not come',
  };
}
