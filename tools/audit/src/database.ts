import { Client } from 'pg';
import type { AuditBook, AuditTick, Holdings } from './records.ts';

const TICKS = `
  SELECT symbol, trade_id AS id, price::text, volume::text, coalesce(side::text, '') AS side, coalesce(change::text, '') AS change,
         (extract(epoch FROM time) * 1000)::numeric::text AS time
    FROM tick_data WHERE exchange = $1`;

const BOOKS = `
  SELECT symbol, (extract(epoch FROM time) * 1000)::numeric::text AS time,
         array(SELECT (level->>'price') || ' ' || (level->>'quantity')
                 FROM jsonb_array_elements(bids) WITH ORDINALITY AS side(level, place) ORDER BY place) AS bids,
         array(SELECT (level->>'price') || ' ' || (level->>'quantity')
                 FROM jsonb_array_elements(asks) WITH ORDINALITY AS side(level, place) ORDER BY place) AS asks,
         coalesce(total_bid_quantity::text, '') AS "totalBid", coalesce(total_ask_quantity::text, '') AS "totalAsk"
    FROM orderbook WHERE exchange = $1 ORDER BY log_partition, log_offset`;

const EXCHANGES = 'SELECT exchange FROM tick_data UNION SELECT exchange FROM orderbook';

/** What the database holds, by venue id. */
export async function readDatabase(url: string): Promise<ReadonlyMap<string, Holdings>> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const held = new Map<string, Holdings>();
    for (const { exchange } of (await client.query<{ exchange: string }>(EXCHANGES)).rows) {
      const ticks = await client.query<AuditTick>(TICKS, [exchange]);
      const books = await client.query<AuditBook>(BOOKS, [exchange]);
      held.set(exchange, { ticks: ticks.rows, books: books.rows });
    }
    return held;
  } finally {
    await client.end();
  }
}
