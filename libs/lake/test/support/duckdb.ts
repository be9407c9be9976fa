import { DuckDBInstance } from '@duckdb/node-api';

export type Row = Readonly<Record<string, unknown>>;

/** Asks DuckDB, which shares no code with what wrote the files. Values come back as text where JSON would round them. */
export async function query(sql: string): Promise<readonly Row[]> {
  const instance = await DuckDBInstance.create();
  const connection = await instance.connect();
  try {
    await connection.run("SET TimeZone = 'UTC'");
    return (await connection.runAndReadAll(sql)).getRowObjectsJson();
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

/** Every file of a kind below a folder, whatever its hour, as one table. */
export function allOf(folder: string, kind: string): string {
  return `read_parquet('${folder}/market-data/${kind}/**/*.parquet', hive_partitioning = true, union_by_name = true)`;
}
