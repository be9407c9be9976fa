/** A price with the second of the day, HHMMSS, in which it was first reached. */
export interface Mark {
  readonly price: number;
  readonly time: string;
}

const NONE: Mark = { price: 0, time: '' };

/** What a session has traded so far, as each record of a trade repeats it. Whole numbers below 2^53. */
export class DayTotals {
  open = NONE;
  high = NONE;
  low = NONE;
  volume = 0;
  /** KRW. */
  turnover = 0;
  sellCount = 0;
  buyCount = 0;
  sellVolume = 0;
  buyVolume = 0;

  /** @param side `none` for an auction, whose volume has no side */
  add(price: number, size: number, side: 'buy' | 'sell' | 'none', time: string): void {
    this.volume += size;
    this.turnover += price * size;
    if (side === 'buy') {
      this.buyCount += 1;
      this.buyVolume += size;
    } else if (side === 'sell') {
      this.sellCount += 1;
      this.sellVolume += size;
    }
    const mark = { price, time };
    if (this.open === NONE) this.open = this.high = this.low = mark;
    if (price > this.high.price) this.high = mark;
    if (price < this.low.price) this.low = mark;
  }
}
