import { LakeCatalog, type EventKind, type EventTimes, type ManifestEntry } from '@aipx/lake';
import { MarketDataError } from '@aipx/market-model';
import { sqlPaths, type DuckDb } from '../duckdb.js';
import { LakeFiles, type LakeSource } from '../lake-files.js';

export interface LakeViewOptions {
  readonly lake: LakeSource;
  readonly duckdb: DuckDb;
  readonly kinds: readonly EventKind[];
  /** Only files whose hour may hold one of these times are read. */
  readonly times: EventTimes;
  /** Most bytes that may be fetched from a lake that is not on this machine. */
  readonly maxFetchBytes: number;
  readonly onFetched?: (bytes: number) => void;
}

/**
 * Makes the views `tick`, `orderbook` and `gap` over the files that manifest entries name: what a recorder has begun and
 * not finished is not in them, nor what somebody else put there.
 *
 * @returns the kinds of which there is no file of these times: their views have no rows
 * @throws {MarketDataError} `CONFIG_INVALID` when more would have to be fetched than may be
 */
export async function createLakeViews(options: LakeViewOptions): Promise<readonly EventKind[]> {
  const fetcher = new Fetcher(options);
  const empty: EventKind[] = [];
  for (const kind of options.kinds) {
    const paths = await fetcher.pathsOf(kind);
    if (paths.length === 0) empty.push(kind);
    await options.duckdb.run(
      paths.length === 0 ? emptyView(kind) : `CREATE VIEW ${kind} AS ${VIEWS[kind](readOf(paths))}`,
    );
  }
  return empty;
}

class Fetcher {
  readonly #options: LakeViewOptions;
  readonly #catalog: LakeCatalog;
  readonly #files: LakeFiles;
  readonly #entries = new Map<string, Promise<ManifestEntry | undefined>>();
  #bytes = 0;

  constructor(options: LakeViewOptions) {
    this.#options = options;
    this.#catalog = new LakeCatalog(options.lake.objects, options.lake.prefix);
    this.#files = new LakeFiles(options.lake, options.duckdb.folder);
  }

  async pathsOf(kind: EventKind): Promise<readonly string[]> {
    const paths: string[] = [];
    for await (const { name, batch } of this.#catalog.files(kind, this.#options.times)) {
      const entry = batch && (await this.#entryOf(batch));
      const named = entry?.files.find((file) => file.name === name);
      if (named === undefined || named.rows === 0) continue;
      this.#count(named.bytes);
      const file = await this.#files.locate(name);
      if (file !== undefined) paths.push(file.path);
    }
    return paths;
  }

  #entryOf(batch: { readonly topic: string; readonly partition: number; readonly begin: bigint }) {
    const key = `${batch.topic}/${batch.partition}/${batch.begin}`;
    const known = this.#entries.get(key) ?? this.#catalog.entry(batch, batch.begin);
    this.#entries.set(key, known);
    return known;
  }

  #count(bytes: number): void {
    const { lake, maxFetchBytes, onFetched } = this.#options;
    if (lake.root !== undefined) return;
    this.#bytes += bytes;
    onFetched?.(this.#bytes);
    if (this.#bytes <= maxFetchBytes) return;
    throw new MarketDataError(
      'CONFIG_INVALID',
      `the query would fetch over ${maxFetchBytes} bytes of Parquet files; narrow it by --from and --to, or raise --max-fetch`,
    );
  }
}

/** Hours by folder, so that a condition on year, month, day or hour skips files. */
function readOf(paths: readonly string[]): string {
  return `read_parquet(${sqlPaths(paths)}, hive_partitioning = true, union_by_name = true)`;
}

const plain = (value: string) => `rtrim(rtrim(${value}::VARCHAR, '0'), '.')`;
const digits = (name: string) => `coalesce(${name}_text, ${plain(name)}) AS ${name}_text`;
const levelDigits = (name: string) =>
  `coalesce(${name}_text, '[' || array_to_string(list_transform(${name}, lambda level: '{"price":"' || ${plain('level.price')} ` +
  `|| '","quantity":"' || ${plain('level.quantity')} || '"}'), ',') || ']') AS ${name}_text`;

/** Every number twice: for counting as DECIMAL(38,12), NULL where it does not fit, and with all its digits as `<name>_text`. */
const VIEWS: Readonly<Record<EventKind, (source: string) => string>> = {
  // A trade that the venue sent again stands once, as in the database.
  tick: (source) =>
    `SELECT * REPLACE (${['price', 'volume', 'change', 'change_rate'].map(digits).join(', ')}) FROM ${source} ` +
    'QUALIFY row_number() OVER (PARTITION BY exchange, symbol, trade_id, time ORDER BY log_partition, log_offset) = 1',
  orderbook: (source) =>
    `SELECT * REPLACE (${levelDigits('bids')}, ${levelDigits('asks')}, ${digits('total_bid_quantity')}, ` +
    `${digits('total_ask_quantity')}) FROM ${source}`,
  gap: (source) => `SELECT * REPLACE (${digits('missed_volume')}) FROM ${source}`,
};

const DECIMAL = 'DECIMAL(38,12)';
const LEVELS = `STRUCT(price ${DECIMAL}, quantity ${DECIMAL})[]`;
const PLACE = 'log_partition INTEGER, log_offset BIGINT';
const HOUR = 'year BIGINT, month BIGINT, day BIGINT, hour BIGINT';
const TIMES =
  'time TIMESTAMPTZ, exchange VARCHAR, symbol VARCHAR, received_at TIMESTAMPTZ, time_ns BIGINT, received_ns BIGINT';

const COLUMNS: Readonly<Record<EventKind, string>> = {
  tick: `${TIMES}, side VARCHAR, trade_id VARCHAR, ${numbers('price', 'volume', 'change', 'change_rate')}, ${PLACE}, ${HOUR}`,
  orderbook: `${TIMES}, bids ${LEVELS}, asks ${LEVELS}, bids_text VARCHAR, asks_text VARCHAR, ${numbers('total_bid_quantity', 'total_ask_quantity')}, ${PLACE}, ${HOUR}`,
  gap: `exchange VARCHAR, symbol VARCHAR, channel VARCHAR, from_time TIMESTAMPTZ, to_time TIMESTAMPTZ, cause VARCHAR, missed UBIGINT, ${numbers('missed_volume')}, detail VARCHAR, log_topic VARCHAR, ${PLACE}, ${HOUR}`,
};

/** Nothing was stored in these hours: a query then has no rows, instead of failing. */
function emptyView(kind: EventKind): string {
  return `CREATE TABLE ${kind} (${COLUMNS[kind]})`;
}

function numbers(...names: readonly string[]): string {
  return names.map((name) => `${name} ${DECIMAL}, ${name}_text VARCHAR`).join(', ');
}
