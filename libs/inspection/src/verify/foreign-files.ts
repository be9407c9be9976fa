import type { EventLog, TopicPartition } from '@aipx/event-log';
import type { EventKind, FoundFile, LakeCatalog } from '@aipx/lake';
import { MarketDataError } from '@aipx/market-model';
import { EVENT_TOPICS, kindOfTopic } from '@aipx/market-proto';
import { sqlPaths, type DuckDb } from '../duckdb.js';
import type { LakeFiles } from '../lake-files.js';
import type { Finding } from './findings.js';
import type { PartitionScope, VerifyRange } from './scope.js';
import type { Tally } from './tally.js';

export interface ForeignFilesOptions {
  readonly log: EventLog;
  readonly catalog: LakeCatalog;
  readonly files: LakeFiles;
  readonly duckdb: DuckDb;
  readonly scopes: readonly PartitionScope[];
  readonly range: VerifyRange;
  readonly tally: Tally;
  readonly report: (finding: Finding) => void;
}

/** Finds Parquet files that no manifest entry names: whoever reads all files of a folder counts their rows twice. */
export async function findForeignFiles(options: ForeignFilesOptions): Promise<void> {
  for (const topic of new Set(options.scopes.map(({ partition }) => partition.topic))) {
    await new ForeignFiles(options, kindOfTopic(topic)).find();
  }
}

class ForeignFiles {
  readonly #options: ForeignFilesOptions;
  readonly #kind: EventKind;
  readonly #named = new Map<string, ReadonlySet<string>>();
  readonly #planned = new Map<string, ReadonlySet<bigint>>();

  constructor(options: ForeignFilesOptions, kind: EventKind) {
    this.#options = options;
    this.#kind = kind;
    for (const { partition, entries } of options.scopes) {
      if (partition.topic !== EVENT_TOPICS[kind]) continue;
      this.#named.set(keyOf(partition), new Set(entries.flatMap(({ files }) => files.map(({ name }) => name))));
    }
  }

  async find(): Promise<void> {
    const { catalog, range, log } = this.#options;
    const partitions = new Set((await log.partitionsOf(EVENT_TOPICS[this.#kind])).map(keyOf));
    // All names before any plan is looked up: a plan is there before its files.
    const unnamed: FoundFile[] = [];
    for await (const file of catalog.files(this.#kind, range)) {
      const isOthers =
        file.batch !== undefined && partitions.has(keyOf(file.batch)) && !this.#named.has(keyOf(file.batch));
      const isUnasked = range.partition !== undefined && (isOthers || file.batch === undefined);
      if (!isUnasked && !this.#isNamed(file)) unnamed.push(file);
    }
    for (const file of unnamed) {
      if (!(await this.#isUnderWay(file))) await this.#tell(file);
    }
  }

  #isNamed({ name, batch }: FoundFile): boolean {
    return batch !== undefined && (this.#named.get(keyOf(batch))?.has(name) ?? false);
  }

  /** A file of a batch that a recorder has begun: its entry comes last. */
  async #isUnderWay({ name, batch }: FoundFile): Promise<boolean> {
    if (batch === undefined) return false;
    const { catalog } = this.#options;
    const key = keyOf(batch);
    const planned = this.#planned.get(key) ?? new Set(await catalog.planned(batch));
    this.#planned.set(key, planned);
    if (!planned.has(batch.begin)) return false;
    const entry = await catalog.entry(batch, batch.begin);
    return entry === undefined || entry.files.some((file) => file.name === name);
  }

  async #tell({ name, hour }: FoundFile): Promise<void> {
    const { tally, report } = this.#options;
    const rows = await this.#rowsIn(name);
    const counts = tally.atHour(EVENT_TOPICS[this.#kind], hour);
    counts.doubled += rows ?? 0;
    const says =
      rows === undefined
        ? 'no manifest entry names the file, and it cannot be read as Parquet: whoever reads all files fails at it'
        : `no manifest entry names the file: whoever reads all files has its ${rows} rows twice`;
    report({ kind: rows === undefined ? 'damaged' : 'doubled', store: 'lake', file: name, says });
  }

  /** `undefined` for what is no Parquet file. */
  async #rowsIn(name: string): Promise<number | undefined> {
    const { files, duckdb } = this.#options;
    const file = await files.fetch(name);
    if (file === undefined) return 0;
    try {
      const { rows } = await duckdb.table(`SELECT count(*) FROM read_parquet(${sqlPaths([file.path])})`);
      return Number(rows[0]?.[0]);
    } catch (cause) {
      if (cause instanceof MarketDataError) return undefined;
      throw cause;
    } finally {
      await files.release([file]);
    }
  }
}

function keyOf({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`;
}
