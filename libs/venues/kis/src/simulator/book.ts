import type { Random } from '@aipx/venue/simulation';
import { above, below, limitsOf } from './prices.js';

export interface Level {
  readonly price: number;
  readonly size: number;
}

/** One trade of a continuous session. */
export interface Execution {
  readonly price: number;
  readonly size: number;
  /** Whether the buyer came to a resting ask. */
  readonly buy: boolean;
}

const DEPTH = 10;
/** How strongly the market is drawn back to the previous close, so that a long walk stays within its limits. */
const PULL = 4;

/** A limit order book on the price grid, within the day's limits. Best bid stays below best ask. */
export class LimitBook {
  readonly #random: Random;
  readonly #reference: number;
  readonly #limits: { readonly upper: number; readonly lower: number };
  #asks: Level[] = [];
  #bids: Level[] = [];

  /** @param reference the previous close, KRW */
  constructor(reference: number, random: Random) {
    this.#reference = reference;
    this.#random = random;
    this.#limits = limitsOf(reference);
    this.reopen(reference);
  }

  /** Best first; shorter than ten levels where the day's limit is near. */
  get asks(): readonly Level[] {
    return this.#asks;
  }

  get bids(): readonly Level[] {
    return this.#bids;
  }

  /** A new book around the price of an auction. */
  reopen(price: number): void {
    const { upper, lower } = this.#limits;
    const bid = Math.max(lower, Math.min(price, below(upper)));
    this.#bids = [{ price: bid, size: this.#size() }];
    this.#asks = [{ price: above(bid), size: this.#size() }];
    this.#fill();
  }

  /** Takes from the best level of a side. */
  trade(): Execution {
    const { buy, levels } = this.#side();
    const best = levels[0] ?? { price: this.#reference, size: 1 };
    const size = Math.max(1, Math.min(best.size, Math.ceil(best.size * this.#random() * 0.6)));
    if (size < best.size) {
      levels[0] = { price: best.price, size: best.size - size };
    } else if (levels.length > 1) {
      levels.shift();
      this.#fill();
    } else {
      levels[0] = { price: best.price, size: this.#size() };
    }
    return { price: best.price, size, buy };
  }

  /** Orders come and go: a level changes its size, or somebody steps into the spread. */
  quote(): void {
    const [ask] = this.#asks;
    const [bid] = this.#bids;
    if (ask !== undefined && bid !== undefined && above(bid.price) < ask.price) {
      if (this.#random() < 0.5) this.#asks.unshift({ price: below(ask.price), size: this.#size() });
      else this.#bids.unshift({ price: above(bid.price), size: this.#size() });
      this.#fill();
      return;
    }
    const levels = this.#random() < 0.5 ? this.#asks : this.#bids;
    const at = Math.floor(this.#random() * levels.length);
    const level = levels[at];
    if (level !== undefined) levels[at] = { price: level.price, size: this.#size() };
  }

  #side(): { readonly buy: boolean; readonly levels: Level[] } {
    const middle = this.#asks[0]?.price ?? this.#reference;
    const buy = this.#random() < 0.5 - ((middle - this.#reference) / this.#reference) * PULL;
    return { buy, levels: buy ? this.#asks : this.#bids };
  }

  #fill(): void {
    fill(
      this.#asks,
      above,
      (price) => price <= this.#limits.upper,
      () => this.#size(),
    );
    fill(
      this.#bids,
      below,
      (price) => price >= this.#limits.lower,
      () => this.#size(),
    );
  }

  #size(): number {
    return 1 + Math.floor(this.#random() ** 3 * 9_000);
  }
}

function fill(
  levels: Level[],
  next: (price: number) => number,
  allowed: (price: number) => boolean,
  size: () => number,
): void {
  while (levels.length > DEPTH) levels.pop();
  for (;;) {
    const last = levels.at(-1);
    if (last === undefined || levels.length >= DEPTH) return;
    const price = next(last.price);
    if (!allowed(price)) return;
    levels.push({ price, size: size() });
  }
}
