/** A query that the hot store is made for, as `docs/design.md` has it. */
export interface Query {
  readonly title: string;
  readonly text: string;
}

export const QUERIES: readonly Query[] = [
  {
    title: 'the last trades of a symbol',
    text: `SELECT * FROM tick_data WHERE symbol = '005930' AND time >= NOW() - INTERVAL '1 hour' ORDER BY time DESC LIMIT 100`,
  },
  {
    title: 'the minute bars of a day',
    text: `SELECT * FROM tick_1min WHERE symbol = '005930' AND bucket >= NOW() - INTERVAL '1 day' ORDER BY bucket DESC`,
  },
  {
    title: 'the best quotes of five minutes',
    text: `SELECT time, symbol, bids->0->>'price' AS best_bid_price, asks->0->>'price' AS best_ask_price FROM orderbook
 WHERE symbol = '005930' AND time >= NOW() - INTERVAL '5 minutes' ORDER BY time DESC`,
  },
];
