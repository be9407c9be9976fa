import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { Client } from 'pg';

/** Every row of the recorded tables, our receive time aside, in the order of the log. */
export async function tableContents(
  databaseUrl: string,
): Promise<Readonly<Record<'ticks' | 'books', readonly string[]>>> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  const rows = async (table: string) => {
    const { rows: found } = await client.query<{ row: string }>(
      `SELECT (to_jsonb(t) - 'received_at')::text AS row FROM ${table} t ORDER BY log_partition, log_offset`,
    );
    return found.map(({ row }) => row);
  };
  try {
    return { ticks: await rows('tick_data'), books: await rows('orderbook') };
  } finally {
    await client.end();
  }
}

export interface LakeCount {
  readonly rows: number;
  /** Different places in the log among them. */
  readonly places: number;
}

/** How many trades and books stand in the Parquet files, read with DuckDB. */
export async function lakeCounts(lakeDir: string): Promise<Readonly<Record<'ticks' | 'books', LakeCount>>> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  const count = async (kind: string) => {
    const files = join(lakeDir, '**', kind, 'year=*', 'month=*', 'day=*', 'hour=*', '*.parquet');
    const result = await connection.runAndReadAll(
      `SELECT count(*)::INTEGER AS rows, count(DISTINCT (log_partition, log_offset))::INTEGER AS places
         FROM read_parquet($files)`,
      { files },
    );
    return result.getRowObjectsJson()[0] as unknown as LakeCount;
  };
  try {
    return { ticks: await count('tick'), books: await count('orderbook') };
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}
