/** A trade as somebody printed it. Numbers are compared as doubles: that is what ccxt makes of them. */
export interface TradeRecord {
  readonly symbol: string;
  readonly id: string;
  readonly price: number;
  readonly amount: number;
  readonly side: 'buy' | 'sell';
  /** Venue time of publication, ms. */
  readonly timestamp: number;
  /** Whether it came as the answer to a subscription, and so may be one seen before. ccxt does not say. */
  readonly snapshot?: boolean;
}

/** A book, best first, without padding. */
export interface BookRecord {
  readonly symbol: string;
  readonly timestamp: number;
  readonly bids: readonly Level[];
  readonly asks: readonly Level[];
}

export type Level = readonly [price: number, amount: number];

export interface Records {
  readonly trades: readonly TradeRecord[];
  readonly books: readonly BookRecord[];
}
