import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import type { Client } from 'pg';
import { to as copyTo } from 'pg-copy-streams';

const MICROS = `(extract(epoch FROM time) * 1000000)::bigint`;

/** Each row with its position and its print, as `printOf` makes it. */
const ROWS = `
  SELECT 'market.tick', log_partition, log_offset,
    concat_ws(' ', symbol, ${MICROS}, trade_id, price::numeric(38,12), volume::numeric(38,12))
  FROM tick_data
  UNION ALL
  SELECT 'market.orderbook', log_partition, log_offset,
    concat_ws(' ', symbol, ${MICROS}, total_bid_quantity::numeric(38,12), jsonb_array_length(bids), jsonb_array_length(asks),
      (bids->0->>'quantity')::numeric(38,12), (asks->-1->>'quantity')::numeric(38,12))
  FROM orderbook
  UNION ALL
  SELECT log_topic, log_partition, log_offset, concat_ws(' ', symbol, cause, detail) FROM market_gap WHERE log_offset IS NOT NULL`;

/** The stretches that the hot sink says retention took. */
const GONE = `
  SELECT log_topic, log_partition, said[1]::bigint, said[2]::bigint + 1
  FROM market_gap, regexp_match(detail, 'offsets (\\d+) to (\\d+) of') AS said WHERE log_offset IS NULL`;

/** Writes the hot store's rows, and what it calls gone, as lines with tabs. */
export async function writeHotLines(client: Client, rowsPath: string, gonePath: string): Promise<void> {
  await pipeline(client.query(copyTo(`COPY (${ROWS}) TO STDOUT`)), createWriteStream(rowsPath));
  await pipeline(client.query(copyTo(`COPY (${GONE}) TO STDOUT`)), createWriteStream(gonePath));
}
