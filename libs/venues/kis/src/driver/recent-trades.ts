import type { Tick } from '@aipx/market-model';

/** Of each symbol: a venue that sends records twice does so within seconds. */
const MAX_TRADES = 256;

/** The last trades of one symbol. Only one that says the same in everything is the same trade. */
export class RecentTrades {
  readonly #trades = new Set<string>();

  /** @returns whether it is among them already */
  add({ tradeId, timestamp, price, volume }: Tick): boolean {
    const trade = `${tradeId} ${timestamp} ${price} ${volume}`;
    if (this.#trades.has(trade)) return true;
    this.#trades.add(trade);
    const [oldest] = this.#trades;
    if (this.#trades.size > MAX_TRADES && oldest !== undefined) this.#trades.delete(oldest);
    return false;
  }
}
