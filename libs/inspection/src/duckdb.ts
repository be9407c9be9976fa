import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MarketDataError } from '@aipx/market-model';
import { DuckDBDecimalType, DuckDBInstance, type DuckDBConnection, type Json } from '@duckdb/node-api';

/** A value as JSON: decimals, 64-bit integers and times are text, so that no digit is lost. */
export type SqlValue = Json;

export interface SqlTable {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly SqlValue[])[];
}

const MEMORY_LIMIT = '1GiB';
/** Of the lake's numbers: what they leave of it is no digit of theirs. */
const LAKE_SCALE = 12;

/** A DuckDB of one command: in memory up to a limit, beyond it in a temporary folder that goes when it is closed. */
export class DuckDb implements AsyncDisposable {
  /** Removed when this is closed, with whatever lies in it. */
  readonly folder: string;
  readonly #instance: DuckDBInstance;
  readonly #connection: DuckDBConnection;
  readonly #signal: AbortSignal;
  readonly #interrupt = () => {
    this.#connection.interrupt();
  };

  private constructor(folder: string, instance: DuckDBInstance, connection: DuckDBConnection, signal: AbortSignal) {
    this.folder = folder;
    this.#instance = instance;
    this.#connection = connection;
    this.#signal = signal;
    signal.addEventListener('abort', this.#interrupt, { once: true });
  }

  /** @param signal ends whatever is under way */
  static async open(signal: AbortSignal): Promise<DuckDb> {
    const folder = await mkdtemp(join(tmpdir(), 'aipx-duckdb-'));
    try {
      const instance = await DuckDBInstance.create(':memory:', {
        memory_limit: MEMORY_LIMIT,
        temp_directory: join(folder, 'spill'),
        autoinstall_known_extensions: 'false',
      });
      const connection = await instance.connect();
      await connection.run("SET TimeZone = 'UTC'");
      return new DuckDb(folder, instance, connection, signal);
    } catch (cause) {
      await rm(folder, { recursive: true, force: true });
      throw cause;
    }
  }

  /**
   * The rows of a query. The lake's decimals, and what is counted from them, are written as the database writes them, without
   * the zeros that fill up their scale; a coarser one, as of `round(price, 2)`, is kept.
   *
   * @throws {MarketDataError} `STORE_REFUSED` with what DuckDB says
   */
  async table(sql: string): Promise<SqlTable> {
    return await answering(async () => {
      const result = await this.#connection.runAndReadAll(sql);
      const isFilled = result
        .columnTypes()
        .map((type) => type instanceof DuckDBDecimalType && type.scale >= LAKE_SCALE);
      const rows = result
        .getRowsJson()
        .map((row) => row.map((value, at) => (isFilled[at] === true ? withoutFilling(value) : value)));
      return { columns: result.deduplicatedColumnNames(), rows };
    });
  }

  async run(sql: string): Promise<void> {
    await answering(async () => await this.#connection.run(sql));
  }

  /**
   * The texts of a query with one column, as they come.
   *
   * @throws {MarketDataError} `STORE_REFUSED` with what DuckDB says, such as a file that it cannot read
   */
  async *texts(sql: string): AsyncGenerator<string> {
    const result = await answering(async () => await this.#connection.stream(sql));
    for (;;) {
      const chunk = await answering(async () => await result.fetchChunk());
      if (chunk === null || chunk.rowCount === 0) return;
      yield* chunk.getColumnValues(0) as string[];
    }
  }

  /** Runs a query and forgets its rows. @throws {MarketDataError} as `texts` does */
  async tryRead(sql: string): Promise<void> {
    for await (const text of this.texts(sql)) text satisfies string;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#signal.removeEventListener('abort', this.#interrupt);
    this.#connection.closeSync();
    this.#instance.closeSync();
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** A text as an SQL literal. */
export function sqlText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** Paths as the list that `read_parquet` takes. DuckDB would take `*`, `?` and `[` in a path for a pattern. */
export function sqlPaths(paths: readonly string[]): string {
  return `[${paths.map((path) => sqlText(path.replaceAll(/[*?[]/g, '[$&]'))).join(', ')}]`;
}

function withoutFilling(decimal: SqlValue): SqlValue {
  return typeof decimal === 'string' ? decimal.replace(/\.?0+$/, '') : decimal;
}

async function answering<Result>(ask: () => Promise<Result>): Promise<Result> {
  try {
    return await ask();
  } catch (cause) {
    throw new MarketDataError('STORE_REFUSED', cause instanceof Error ? cause.message : String(cause), { cause });
  }
}
