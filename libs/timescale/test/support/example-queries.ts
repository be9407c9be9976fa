/** The queries that `docs/design.md` promises, as written there. */
export const LAST_TRADES = `SELECT * FROM tick_data WHERE symbol = '005930' AND time >= NOW() - INTERVAL '1 hour' ORDER BY time DESC LIMIT 100`;

export const MINUTE_BARS = `SELECT * FROM tick_1min WHERE symbol = '005930' AND bucket >= NOW() - INTERVAL '1 day' ORDER BY bucket DESC`;

export const BEST_QUOTES = `SELECT time, symbol, bids->0->>'price' AS best_bid_price, asks->0->>'price' AS best_ask_price FROM orderbook
 WHERE symbol = '005930' AND time >= NOW() - INTERVAL '5 minutes' ORDER BY time DESC`;
