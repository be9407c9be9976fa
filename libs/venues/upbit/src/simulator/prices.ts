import type { Pair, Quote } from './pairs.js';

/**
 * How a pair's prices and sizes are counted: whole numbers of 10^-priceDecimals of quote and 10^-sizeDecimals of base,
 * so that no arithmetic of the market ever rounds. Both stay below 2^53.
 */
export interface Grid {
  readonly priceDecimals: number;
  readonly sizeDecimals: number;
  /** The reference price on the grid. */
  readonly reference: number;
  /** The next price above. */
  readonly above: (price: number) => number;
  /** The next price below; 0 or less when there is none. */
  readonly below: (price: number) => number;
}

/** Lowest price of a band and the tick within it, as printed by the venue, highest band first. */
type Bands = readonly (readonly [from: number, tick: number])[];

/** Documented; in force since 2025-07-31. */
const KRW_BANDS: Bands = [
  [1_000_000, 1_000],
  [500_000, 500],
  [100_000, 100],
  [50_000, 50],
  [10_000, 10],
  [5_000, 5],
  [100, 1],
  [10, 0.1],
  [1, 0.01],
  [0.1, 0.001],
  [0.01, 0.0001],
  [0.001, 0.00001],
  [0.0001, 0.000001],
  [0.00001, 0.0000001],
  [0, 0.00000001],
];

/** Documented: 0.01 at 10 and over, then one decimal more per decade. */
const USDT_BANDS: Bands = [
  [10, 0.01],
  [1, 0.001],
  [0.1, 0.0001],
  [0.01, 0.00001],
  [0.001, 0.000001],
  [0.0001, 0.0000001],
  [0, 0.00000001],
];

const BTC_BANDS: Bands = [[0, 0.00000001]];

const BANDS: Readonly<Record<Quote, Bands>> = { KRW: KRW_BANDS, BTC: BTC_BANDS, USDT: USDT_BANDS };

/** What a level is worth at the most, in quote currency. Bounds the sizes, and so their decimals. */
export const LARGEST_LEVEL: Readonly<Record<Quote, number>> = { KRW: 40_000_000, BTC: 0.4, USDT: 30_000 };

/** Levels a side of the deepest book. */
export const DEEPEST = 30;

/** From here on eight decimals of a price no longer fit below 2^53, and the tick is a whole number anyway. */
const WHOLE_PRICES_FROM = 1_000_000;

export function gridOf(pair: Pair): Grid {
  const priceDecimals = pair.reference >= WHOLE_PRICES_FROM ? 0 : 8;
  const unit = 10 ** priceDecimals;
  const bands = BANDS[pair.quote]
    .map(([from, tick]) => ({ from: Math.round(from * unit), tick: Math.round(tick * unit) }))
    .filter(({ tick }) => tick >= 1);
  const tickAt = (price: number): number => bands.find(({ from }) => price >= from)?.tick ?? 1;
  const raw = Math.round(pair.reference * unit);
  return {
    priceDecimals,
    sizeDecimals: sizeDecimals(pair),
    reference: raw - (raw % tickAt(raw)),
    above: (price) => price + tickAt(price),
    // The unit below a band's lowest price already belongs to the finer band.
    below: (price) => price - tickAt(price - 1),
  };
}

/** The price's tick as printed, for `/v1/orderbook/instruments`. */
export function tickText(pair: Pair): string {
  const tick = BANDS[pair.quote].find(([from]) => pair.reference >= from)?.[1] ?? 0.00000001;
  return tick >= 1 ? String(tick) : tick.toFixed(8).replace(/0+$/, '');
}

/** Eight, or as many as keep the sum of the deepest book's sizes below 2^53 (the venue's longest size has 16 digits). */
function sizeDecimals(pair: Pair): number {
  const largestTotal = (2 * DEEPEST * LARGEST_LEVEL[pair.quote]) / pair.reference;
  return Math.min(8, Math.floor(Math.log10(Number.MAX_SAFE_INTEGER / largestTotal)));
}
