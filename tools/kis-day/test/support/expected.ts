import type { StoredGap, StoredTrade } from './hot-store.js';
import type { Journal, MarketTrade } from './journal.js';

/** A stretch of trades that were made and are not stored, with a stored one of the same day on each side or behind it. */
export interface Hole {
  readonly symbol: string;
  readonly volume: number;
  /** When the trade behind it was received. */
  readonly seenAt: number;
}

/** Every trade with an id that reached us, as the venue's frames have it. */
export function sentTrades({ trades }: Journal): readonly string[] {
  return [...trades.values()]
    .flat()
    .flatMap(({ symbol, id, content }) => (content === undefined ? [] : [`${symbol} ${id} ${content}`]))
    .toSorted();
}

export function storedLines(stored: readonly StoredTrade[]): readonly string[] {
  return stored.map(({ symbol, id, content }) => `${symbol} ${id} ${content}`).toSorted();
}

/** Of these the venue sent a second copy. */
export function repeatedOf({ trades }: Journal, stored: readonly StoredTrade[]): number {
  const ids = idsOf(stored);
  return [...trades.values()].flat().filter((trade) => trade.isRepeated && ids.has(nameOf(trade))).length;
}

/**
 * What is missing, by the venue's own volumes. What went before the first trade of all is unknown to everybody, and what a day ended
 * with leaves no trace in its volumes.
 */
export function holesOf({ trades }: Journal, stored: readonly StoredTrade[]): readonly Hole[] {
  const received = new Map(stored.map((trade) => [nameOf(trade), trade.receivedAt]));
  return [...trades.values()].flatMap((made) => {
    const holes: Hole[] = [];
    let last: MarketTrade | undefined;
    for (const trade of made) {
      const seenAt = received.get(nameOf(trade));
      if (seenAt === undefined) continue;
      const before = last !== undefined && dayOf(last) === dayOf(trade) ? last.cumulative : 0;
      const volume = trade.cumulative - trade.volume - before;
      if (last !== undefined && volume > 0) holes.push({ symbol: trade.symbol, volume, seenAt });
      last = trade;
    }
    return holes;
  });
}

/** The gaps that these holes are to be told by: gaps of one second are told as one, so each ends with the last of its holes. */
export function gapsFor(holes: readonly Hole[], gaps: readonly StoredGap[]): readonly StoredGap[] {
  const expected = gaps.map(({ symbol, to }) => ({ symbol, to, volume: 0 }));
  const unnamed: StoredGap[] = [];
  for (const { symbol, volume, seenAt } of holes) {
    const gap = expected.find((each) => each.symbol === symbol && each.to >= seenAt);
    if (gap === undefined) unnamed.push({ symbol, volume, to: seenAt });
    else gap.volume += volume;
  }
  return [...expected, ...unnamed];
}

function idsOf(stored: readonly StoredTrade[]): ReadonlySet<string> {
  return new Set(stored.map(nameOf));
}

function nameOf({ symbol, id }: Pick<StoredTrade, 'symbol' | 'id'>): string {
  return `${symbol} ${id}`;
}

function dayOf({ id }: MarketTrade): string {
  return id.split('-')[1] ?? '';
}
