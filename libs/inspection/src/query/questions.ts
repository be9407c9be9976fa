import { toIsoText } from '@aipx/market-model';
import type { EventKind, EventTimes } from '@aipx/lake';
import { sqlText } from '../duckdb.js';

export const BAR_INTERVALS = ['1m', '5m', '1h'] as const;
export type BarInterval = (typeof BAR_INTERVALS)[number];

export interface Question extends EventTimes {
  /** Absent: of every venue. */
  readonly exchange?: string;
  readonly symbol: string;
  /** Rows at most, the earliest. */
  readonly limit: number;
}

/** A ready-made question in the SQL of each source; the same rows in the same columns come from both. */
export interface AskedSql {
  /** The kind of event that it is about. */
  readonly kind: EventKind;
  readonly lake: string;
  readonly database: string;
}

/** Trades in the order in which they happened. */
export function ticksSql(question: Question): AskedSql {
  const rest = `FROM %t WHERE ${conditions('time', question)} ORDER BY time, log_offset LIMIT ${question.limit}`;
  return {
    kind: 'tick',
    lake:
      `SELECT time, exchange, symbol, price_text AS price, volume_text AS volume, side, trade_id, change_text AS change, ` +
      `change_rate_text AS change_rate ${rest.replace('%t', 'tick')}`,
    database: `SELECT time, exchange, symbol, price, volume, side, trade_id, change, change_rate ${rest.replace('%t', 'tick_data')}`,
  };
}

/** Order books, best level first. */
export function booksSql(question: Question): AskedSql {
  const rest = `FROM orderbook WHERE ${conditions('time', question)} ORDER BY time, log_offset LIMIT ${question.limit}`;
  const best = (bids: string, asks: string) =>
    `${bids}->0->>'price' AS bid_price, ${bids}->0->>'quantity' AS bid_quantity, ` +
    `${asks}->0->>'price' AS ask_price, ${asks}->0->>'quantity' AS ask_quantity`;
  return {
    kind: 'orderbook',
    lake:
      `SELECT time, exchange, symbol, ${best('bids_text::JSON', 'asks_text::JSON')}, ` +
      `total_bid_quantity_text AS total_bid_quantity, total_ask_quantity_text AS total_ask_quantity, ` +
      `bids_text AS bids, asks_text AS asks ${rest}`,
    database:
      `SELECT time, exchange, symbol, ${best('bids', 'asks')}, total_bid_quantity, total_ask_quantity, ` +
      `replace(replace(bids::text, '": "', '":"'), ', ', ',') AS bids, replace(replace(asks::text, '": "', '":"'), ', ', ',') AS asks ${rest}`,
  };
}

const INTERVALS: Readonly<Record<BarInterval, { readonly lake: string; readonly view: string }>> = {
  '1m': { lake: '1 minute', view: 'tick_1min' },
  '5m': { lake: '5 minutes', view: 'tick_5min' },
  '1h': { lake: '1 hour', view: 'tick_1hour' },
};

/** OHLCV bars; a stretch without a trade has none. Trades of one time are in the order of the log. */
export function barsSql(question: Question, interval: BarInterval): AskedSql {
  const { lake, view } = INTERVALS[interval];
  const plain = (value: string) => `rtrim(rtrim((${value})::VARCHAR, '0'), '.')`;
  const end = `ORDER BY bucket, exchange LIMIT ${question.limit}`;
  return {
    kind: 'tick',
    lake:
      `SELECT time_bucket(INTERVAL '${lake}', time) AS bucket, exchange, symbol, ` +
      `first(price_text ORDER BY time, log_offset) AS open, ${plain('max(price)')} AS high, ${plain('min(price)')} AS low, ` +
      `last(price_text ORDER BY time, log_offset) AS close, ${plain('sum(volume)')} AS volume, count(*) AS tick_count ` +
      `FROM tick WHERE ${conditions('time', question)} GROUP BY ALL ${end}`,
    database:
      `SELECT bucket, exchange, symbol, open, high, low, close, volume, tick_count FROM ${view} ` +
      `WHERE ${conditions('bucket', question)} ${end}`,
  };
}

function conditions(time: string, { exchange, symbol, from, to }: Question): string {
  return [
    `symbol = ${sqlText(symbol)}`,
    ...(exchange === undefined ? [] : [`exchange = ${sqlText(exchange)}`]),
    ...(from === undefined ? [] : [`${time} >= TIMESTAMPTZ ${sqlText(toIsoText(from))}`]),
    ...(to === undefined ? [] : [`${time} < TIMESTAMPTZ ${sqlText(toIsoText(to))}`]),
  ].join(' AND ');
}
