import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Store } from './store.ts';

export const SYMBOLS = 200;
export const DAYS = 5;
/** Of each table at a time: a statement of all rows would be one long silence. */
const SLICE = 100_000;

/** Books to choose from, with 15 levels a side as Upbit sends them: making each anew would be most of the work. */
const TEMPLATES = `
  CREATE TEMPORARY TABLE book_template AS
  SELECT t AS id, jsonb_agg(level(70000 - l * 100, t, l) ORDER BY l) AS bids, jsonb_agg(level(70000 + l * 100, t, l) ORDER BY l) AS asks
  FROM generate_series(0, 999) AS t, generate_series(1, 15) AS l GROUP BY t`;
const LEVEL = `
  CREATE FUNCTION pg_temp.level(price integer, t integer, l integer) RETURNS jsonb LANGUAGE sql AS
  $$ SELECT jsonb_build_object('price', price::text, 'quantity', (t * 0.0137 + l)::text) $$`;

/** The n-th of all rows, the oldest first: the symbols take turns, and the last row is of now. */
const columns = (rows: number, end: string) => `
  ${end} - (${rows} - n) * interval '${DAYS} days' / ${rows} AS time, 'kis' AS exchange,
  CASE n % ${SYMBOLS} WHEN 0 THEN '005930' ELSE lpad((n % ${SYMBOLS})::text, 6, '0') END AS symbol, now() AS received_at,
  0 AS log_partition, n AS log_offset`;

/** The rows of `fill`, and where they end: their last is of that time, and those after it go on at the same pace. */
export interface Filled {
  readonly each: number;
  readonly end: string;
}

/** Fills both tables with half of the rows each, over all symbols and days, up to now. */
export async function fill(store: Store, rows: number, signal: AbortSignal): Promise<Filled> {
  const filled = { each: Math.floor(rows / 2), end: `timestamptz '${new Date().toISOString()}'` };
  const { each } = filled;
  await store.sql(LEVEL);
  await store.sql(TEMPLATES.replaceAll('level(', 'pg_temp.level('));
  for (let first = 1; first <= each; first += SLICE) {
    // The embedded engine never gives the event loop a turn, so no Ctrl-C would arrive.
    await nextTurn();
    signal.throwIfAborted();
    await insert(store, filled, first, Math.min(first + SLICE - 1, each));
    process.stderr.write(`${store.title}: ${(2 * Math.min(first + SLICE - 1, each)).toLocaleString('en')} rows\n`);
  }
  return filled;
}

/** Adds what would have come since: filling and refreshing took their time, and the queries ask for the last minutes. */
export async function catchUp(store: Store, filled: Filled): Promise<void> {
  const step = `(extract(epoch FROM interval '${DAYS} days') / ${filled.each})`;
  const [since] = await store.sql(`SELECT floor(extract(epoch FROM now() - ${filled.end}) / ${step})::integer AS rows`);
  await insert(store, filled, filled.each + 1, filled.each + Number(since?.['rows']));
}

/** Trades and books from the first number to the last. */
async function insert(store: Store, { each, end }: Filled, first: number, last: number): Promise<void> {
  const numbers = `generate_series(${first}, ${last}) AS n`;
  await store.sql(`
    INSERT INTO tick_data (time, exchange, symbol, received_at, log_partition, log_offset, price, volume, side, trade_id)
    SELECT ${columns(each, end)}, 70000 + (n::bigint * 7919 % 200) * 100, n % 97 + 1,
      CASE n % 2 WHEN 0 THEN 'BUY' ELSE 'SELL' END, 'KRX-20260101-' || n FROM ${numbers}`);
  await store.sql(`
    INSERT INTO orderbook (time, exchange, symbol, received_at, log_partition, log_offset, bids, asks)
    SELECT ${columns(each, end)}, bids, asks FROM ${numbers} JOIN book_template ON id = n % 1000 ORDER BY n`);
}
