import type { Random } from '@aipx/venue/simulation';
import { DEEPEST, LARGEST_LEVEL, type Grid } from './prices.js';
import type { Pair } from './pairs.js';

/** One side of a book, best price first. Prices and sizes are counted on the pair's grid. */
export interface BookSide {
  readonly prices: number[];
  readonly sizes: number[];
  /** Orders on this side in the thin books of some BTC pairs; the deepest book elsewhere. */
  readonly depth: number;
}

/** One trade, with the best prices and sizes it met. */
export interface Execution {
  readonly price: number;
  readonly size: number;
  /** The taker bought: the trade took from the asks. */
  readonly buy: boolean;
  readonly bestAsk: number;
  readonly bestAskSize: number;
  readonly bestBid: number;
  readonly bestBidSize: number;
}

/** Above this spread, in ticks, quotes come closer before the next trade. */
const WIDEST_SPREAD = 3;
/** How hard a price that left its reference is pulled back: chance per part of the reference. */
const PULL = 2;

/**
 * A limit order book that moves by trades and quotes only: a trade takes from the best level, a quote changes a size
 * or steps into the spread. So the best bid is always below the best ask, and prices walk at random around the
 * reference.
 */
export class SimulatedBook {
  readonly bids: BookSide;
  readonly asks: BookSide;
  readonly #grid: Grid;
  readonly #random: Random;
  readonly #sizeUnit: number;
  readonly #largestLevel: number;

  constructor(pair: Pair, grid: Grid, random: Random) {
    this.#grid = grid;
    this.#random = random;
    this.#sizeUnit = 10 ** grid.sizeDecimals;
    this.#largestLevel = LARGEST_LEVEL[pair.quote] / pair.reference;
    // As seen on the wire: most BTC pairs have fewer orders than a book has units, and not equally many a side.
    const thin = pair.quote === 'BTC' && pair.code !== 'BTC-ETH' && pair.code !== 'BTC-XRP';
    const depth = (): number => (thin ? 4 + Math.floor(random() * 16) : DEEPEST);
    this.bids = { prices: [], sizes: [], depth: depth() };
    this.asks = { prices: [], sizes: [], depth: depth() };
    this.#insert(this.bids, 0, grid.reference);
    this.#insert(this.asks, 0, grid.above(grid.reference));
    this.#fillTails();
  }

  /** One to three changes of the book: a new best price within the spread, or another size of a level. */
  quote(): void {
    for (let left = 1 + Math.floor(this.#random() * 3); left > 0; left -= 1) {
      if (this.#spread() > 1 && this.#random() < 0.5) this.#stepIntoSpread();
      else this.#resize();
    }
  }

  /** A trade at the best price of the side it takes from; the book has changed when the call returns. */
  trade(): Execution {
    while (this.#spread() > WIDEST_SPREAD) this.#stepIntoSpread();
    const buy = this.#random() < this.#chanceUp();
    const side = buy ? this.asks : this.bids;
    const price = best(side.prices);
    const available = this.#available(side);
    const met = {
      bestAsk: best(this.asks.prices),
      bestAskSize: best(this.asks.sizes),
      bestBid: best(this.bids.prices),
      bestBidSize: best(this.bids.sizes),
    };
    const size = this.#tradeSize(available, side.prices.length > 1);
    if (size < available) {
      side.sizes[0] = available - size;
    } else {
      side.prices.shift();
      side.sizes.shift();
      this.#fillTails();
    }
    return { price, size, buy, ...met };
  }

  /** The size of the best level. A side's last level always holds enough to be traded and stay. */
  #available(side: BookSide): number {
    if (side.prices.length === 1 && best(side.sizes) < 2) side.sizes[0] = 2;
    return best(side.sizes);
  }

  /** Mostly a part of the level, at times the whole of it; never the last level of a side. */
  #tradeSize(available: number, mayEmpty: boolean): number {
    if (mayEmpty && (available === 1 || this.#random() < 0.15)) return available;
    const part = Math.floor(available * this.#random() ** 2 * 0.6);
    return Math.min(Math.max(part, 1), Math.max(available - 1, 1));
  }

  #stepIntoSpread(): void {
    if (this.#random() < this.#chanceUp()) this.#insert(this.bids, 0, this.#grid.above(best(this.bids.prices)));
    else this.#insert(this.asks, 0, this.#grid.below(best(this.asks.prices)));
    trim(this.bids);
    trim(this.asks);
  }

  #resize(): void {
    const side = this.#random() < 0.5 ? this.bids : this.asks;
    const level = Math.floor(side.sizes.length * this.#random() ** 2);
    side.sizes[level] = this.#levelSize(level);
  }

  #fillTails(): void {
    for (const [side, next] of [
      [this.bids, this.#grid.below],
      [this.asks, this.#grid.above],
    ] as const) {
      while (side.prices.length < side.depth) {
        let price = next(side.prices.at(-1) ?? 0);
        if (this.#random() < 0.3) price = next(price);
        if (price <= 0) break;
        this.#insert(side, side.prices.length, price);
      }
    }
  }

  #insert(side: BookSide, at: number, price: number): void {
    side.prices.splice(at, 0, price);
    side.sizes.splice(at, 0, this.#levelSize(at));
  }

  /** Deeper levels hold more. At least one unit. */
  #levelSize(level: number): number {
    const share = this.#random() ** 3 * (0.2 + (0.8 * Math.min(level, DEEPEST)) / DEEPEST);
    return Math.max(1, Math.floor(share * this.#largestLevel * this.#sizeUnit));
  }

  /** Ticks between the best prices, as far as it matters. */
  #spread(): number {
    const ask = best(this.asks.prices);
    let price = best(this.bids.prices);
    let ticks = 0;
    while (price < ask && ticks <= WIDEST_SPREAD) {
      price = this.#grid.above(price);
      ticks += 1;
    }
    return ticks;
  }

  #chanceUp(): number {
    const drift = best(this.bids.prices) / this.#grid.reference - 1;
    return Math.min(Math.max(0.5 - PULL * drift, 0.02), 0.98);
  }
}

/** A side is never empty. */
function best(values: readonly number[]): number {
  return values[0] ?? 0;
}

function trim(side: BookSide): void {
  if (side.prices.length <= side.depth) return;
  side.prices.pop();
  side.sizes.pop();
}
