import { join } from 'node:path';
import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';

export type Row = Readonly<Record<string, unknown>>;
export type Store = 'hot' | 'cold';

const PLACE = "{'topic': 'VARCHAR', 'part': 'INTEGER'";
const LINES = "delim = '\\t', header = false, quote = '', escape = '', auto_detect = false";
const PRINTS = {
  tick: `concat_ws(' ', symbol, epoch_us(time), trade_id, price, volume)`,
  orderbook: `concat_ws(' ', symbol, epoch_us(time), total_bid_quantity, len(bids), len(asks), bids[1].quantity, asks[-1].quantity)`,
  gap: `concat_ws(' ', symbol, cause, detail)`,
} as const;

/** A database in memory, with what the log and both stores hold as tables. */
export class Tables {
  readonly #instance: DuckDBInstance;
  readonly #connection: DuckDBConnection;

  private constructor(instance: DuckDBInstance, connection: DuckDBConnection) {
    this.#instance = instance;
    this.#connection = connection;
  }

  /** @param folder for what does not fit into memory */
  static async open(folder: string): Promise<Tables> {
    const instance = await DuckDBInstance.create(':memory:', {
      memory_limit: '3GB',
      temp_directory: join(folder, 'spill'),
    });
    return new Tables(instance, await instance.connect());
  }

  close(): void {
    this.#connection.closeSync();
    this.#instance.closeSync();
  }

  async query(sql: string): Promise<readonly Row[]> {
    return (await this.#connection.runAndReadAll(sql)).getRowObjectsJson();
  }

  /** `log(topic, part, off, print)` */
  async readLog(path: string): Promise<void> {
    const columns = `${PLACE}, 'off': 'BIGINT', 'headers': 'VARCHAR'}`;
    await this.#connection.run(`CREATE TABLE log AS
      SELECT topic, part, off, regexp_extract(headers, '(?:^|,)print=([^,]*)', 1) AS print
      FROM read_csv('${path}', columns = ${columns}, ${LINES})`);
  }

  /** `<store>_rows(topic, part, off, print)`, from lines. */
  async readRows(store: Store, path: string): Promise<void> {
    const columns = `${PLACE}, 'off': 'BIGINT', 'print': 'VARCHAR'}`;
    await this.#connection.run(
      `CREATE TABLE ${store}_rows AS FROM read_csv('${path}', columns = ${columns}, ${LINES})`,
    );
  }

  /** `<store>_gone(topic, part, off)`: what the store names as taken by retention, an offset a row. */
  async readGone(store: Store, path: string): Promise<void> {
    const columns = `${PLACE}, 'first': 'BIGINT', 'behind': 'BIGINT'}`;
    await this.#connection.run(`CREATE TABLE ${store}_gone AS SELECT topic, part, unnest(range(first, behind)) AS off
      FROM read_csv('${path}', columns = ${columns}, ${LINES})`);
  }

  /** `cold_rows(topic, part, off, print, file)`, from Parquet. */
  async readFiles(folder: string, files: readonly string[]): Promise<void> {
    await this.#connection.run(
      'CREATE TABLE cold_rows (topic VARCHAR, part INTEGER, off BIGINT, print VARCHAR, file VARCHAR)',
    );
    for (const [kind, print] of Object.entries(PRINTS)) {
      const own = files.filter((name) => name.startsWith(`${kind}/`)).map((name) => `'${join(folder, name)}'`);
      if (own.length === 0) continue;
      // The topic stands in the file's name only.
      await this.#connection.run(`INSERT INTO cold_rows
        SELECT regexp_extract(filename, '([^/]+)-\\d+-\\d{20}\\.parquet$', 1), log_partition, log_offset, ${print},
          substr(filename, ${folder.length + 2})
        FROM read_parquet([${own.join(', ')}], filename = true, hive_partitioning = false)`);
    }
  }
}
