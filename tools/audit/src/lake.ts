import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import type { AuditBook, AuditTick, Holdings } from './records.ts';

/** Exact decimals as text; a value too large for its column stands in the text column beside it. */
const number = (name: string) => `coalesce(${name}_text, ${name}::varchar, '')`;
/** A side of which one value is too large stands whole in the text column, `[{"price": "…", "quantity": "…"}]`. */
const levels = (name: string) => `
  CASE WHEN ${name}_text IS NULL THEN ${levelTexts(name)}
       ELSE ${levelTexts(`from_json(${name}_text, '[{"price": "VARCHAR", "quantity": "VARCHAR"}]')`)} END`;
const levelTexts = (side: string) =>
  `list_transform(${side}, level -> level.price::varchar || ' ' || level.quantity::varchar)`;

const TICKS = `
  SELECT symbol, trade_id AS id, ${number('price')} AS price, ${number('volume')} AS volume,
         coalesce(side::varchar, '') AS side,
         ${number('change')} AS change, (time_ns // 1000000)::varchar AS time
    FROM read_parquet($files) WHERE exchange = $exchange`;

const BOOKS = `
  SELECT symbol, (time_ns // 1000000)::varchar AS time, ${levels('bids')} AS bids, ${levels('asks')} AS asks,
         ${number('total_bid_quantity')} AS "totalBid", ${number('total_ask_quantity')} AS "totalAsk"
    FROM read_parquet($files) WHERE exchange = $exchange ORDER BY log_partition, log_offset`;

interface Exchange {
  readonly exchange: string;
}

const EXCHANGES = 'SELECT DISTINCT exchange FROM read_parquet($files)';

/** What the lake holds, by venue id, read with DuckDB. Venue duplicates stand there as often as they were sent. */
export async function readLake(lakeDir: string): Promise<ReadonlyMap<string, Holdings>> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  const rows = async (sql: string, kind: string, values: Readonly<Record<string, string>> = {}) => {
    const files = join(lakeDir, '**', kind, 'year=*', 'month=*', 'day=*', 'hour=*', '*.parquet');
    const result = await connection.runAndReadAll(sql, { files, ...values });
    return result.getRowObjectsJson() as unknown[];
  };
  try {
    const named = [...(await rows(EXCHANGES, 'tick')), ...(await rows(EXCHANGES, 'orderbook'))] as Exchange[];
    const held = new Map<string, Holdings>();
    for (const exchange of new Set(named.map((row) => row.exchange))) {
      const ticks = (await rows(TICKS, 'tick', { exchange })) as AuditTick[];
      held.set(exchange, { ticks, books: (await rows(BOOKS, 'orderbook', { exchange })) as AuditBook[] });
    }
    return held;
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}
