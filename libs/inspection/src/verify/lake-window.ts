import type { TopicPartition } from '@aipx/event-log';
import type { ManifestEntry, ManifestFile } from '@aipx/lake';
import { MarketDataError } from '@aipx/market-model';
import { kindOfTopic } from '@aipx/market-proto';
import type { DuckDb } from '../duckdb.js';
import type { LakeFiles, LocalFile } from '../lake-files.js';
import type { Finding } from './findings.js';
import { lakeRowsSql, ROW_END, type LakeRowFilter } from './lake-lines.js';
import { RowCursor } from './row-cursor.js';
import { FIELD_END } from '@aipx/timescale';

export interface LakeWindowOptions {
  readonly partition: TopicPartition;
  /** Finished batches that have offsets in the window. */
  readonly entries: readonly ManifestEntry[];
  readonly filter: LakeRowFilter;
  readonly duckdb: DuckDb;
  readonly files: LakeFiles;
  readonly report: (finding: Finding) => void;
}

/** Some batches of a partition: their files checked against the manifest, and their rows in the order of the log. */
export class LakeWindow implements AsyncDisposable {
  readonly entries: readonly ManifestEntry[];
  readonly rows: RowCursor;
  readonly #files: LakeFiles;
  readonly #local: readonly LocalFile[];
  readonly #lost: ReadonlySet<string>;

  private constructor(options: LakeWindowOptions, local: readonly LocalFile[], lost: ReadonlySet<string>) {
    this.entries = options.entries;
    this.#files = options.files;
    this.#local = local;
    this.#lost = lost;
    this.rows = local.length === 0 ? RowCursor.empty() : new RowCursor(rowsIn(options, local));
  }

  /** Fetches the files and reports those that are missing, or are not as the manifest says. */
  static async open(options: LakeWindowOptions): Promise<LakeWindow> {
    const local: LocalFile[] = [];
    const lost = new Set<string>();
    for (const file of options.entries.flatMap(({ files }) => files)) {
      if (file.rows === 0 || !mayHold(file, options.filter)) continue;
      const fetched = await options.files.fetch(file.name);
      if (fetched !== undefined && (await isReadable(fetched, file, options))) {
        local.push(fetched);
        continue;
      }
      lost.add(file.name);
      if (fetched !== undefined) await options.files.release([fetched]);
      const what = fetched === undefined ? 'is missing' : 'cannot be read as Parquet';
      options.report(damage(options, file, 'lost', `the file ${what}; the manifest names it with ${file.rows} rows`));
    }
    return new LakeWindow(options, local, lost);
  }

  /** The file that holds, or should hold, a row. `isLost`: it is not there, which has been reported. */
  fileOf(offset: bigint, time: bigint): { readonly name: string; readonly isLost: boolean } | undefined {
    const hour = new Date(Number(time / 3_600_000_000_000n) * 3_600_000).toISOString().slice(0, 13);
    const file = this.entryAt(offset)?.files.find((each) => each.hour === hour);
    return file && { name: file.name, isLost: this.#lost.has(file.name) };
  }

  entryAt(offset: bigint): ManifestEntry | undefined {
    return this.entries.find(({ begin, end }) => begin <= offset && offset < end);
  }

  /** Whether a batch has lost a file. */
  hasLostFiles(entry: ManifestEntry): boolean {
    return entry.files.some(({ name }) => this.#lost.has(name));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#files.release(this.#local);
  }
}

async function* rowsIn({ partition, filter, duckdb }: LakeWindowOptions, files: readonly LocalFile[]) {
  const paths = files.map(({ path }) => path);
  for await (const text of duckdb.texts(lakeRowsSql(kindOfTopic(partition.topic), paths, filter))) {
    yield text.split(ROW_END).map((row) => {
      const end = row.indexOf(FIELD_END);
      return { offset: BigInt(row.slice(0, end)), line: row.slice(end + 1) };
    });
  }
}

/** A file with the right checksum is read later; another one is tried first, and its rows count all the same. */
async function isReadable(found: LocalFile, named: ManifestFile, options: LakeWindowOptions): Promise<boolean> {
  if (found.sha256 === named.sha256) return true;
  try {
    const sql = lakeRowsSql(kindOfTopic(options.partition.topic), [found.path], options.filter);
    await options.duckdb.tryRead(sql);
  } catch (cause) {
    if (cause instanceof MarketDataError) return false;
    throw cause;
  }
  const says = `the file's SHA-256 is ${found.sha256}, and the manifest has ${named.sha256}: it was written again`;
  options.report(damage(options, named, 'damaged', says));
  return true;
}

function damage({ partition }: LakeWindowOptions, file: ManifestFile, kind: 'lost' | 'damaged', says: string): Finding {
  return { kind, store: 'lake', partition, file: file.name, says };
}

function mayHold({ hour, first, last }: ManifestFile, { begin, end, from, to }: LakeRowFilter): boolean {
  if (first === null || last === null || last < begin || first >= end) return false;
  const hourBegin = BigInt(Date.parse(`${hour}:00:00Z`)) * 1_000_000n;
  return (to === undefined || hourBegin < to) && (from === undefined || hourBegin + 3_600_000_000_000n > from);
}
