import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { EventLog } from '@aipx/event-log';
import { FolderObjectStore, LakeStore, ParquetWorker } from '@aipx/lake';
import type { Channel } from '@aipx/market-model';
import { ColdRecorder } from '@aipx/recording';
import { CHANNELS, figure, type Figure } from '../figures.ts';
import { Child } from '../ingestion/child.ts';
import { appendAll, openLog } from '../log.ts';
import { inRounds, recordsPerSecond, type Bench } from '../measure.ts';
import { expectStored, Recording } from '../recorders.ts';

/** What the process with DuckDB is to do. */
export interface DuckDbTask {
  /** Names the Parquet files with the rows, as DuckDB takes it. */
  readonly files: string;
  /** For the file that DuckDB writes. */
  readonly out: string;
  /** Of its file. */
  readonly rowGroupRows: number;
}

/** What it says after each round. */
export interface DuckDbRound {
  readonly rows: number;
  readonly appendMs: number;
  readonly copyMs: number;
  readonly bytes: number;
  /** Rows that only one of the two has. */
  readonly differences: number;
}

const DUCKDB = join(import.meta.dirname, 'duckdb-process.ts');
/** As the lake writes them. */
const ROW_GROUP_ROWS = { tick: 100_000, orderbook: 10_000 } as const;

/** From the log into Parquet files in a folder, beside DuckDB's appender and COPY of the same rows. */
export async function measureCold(bench: Bench): Promise<readonly Figure[]> {
  const { input, effort, folder, signal } = bench;
  await using opened = new AsyncDisposableStack();
  const log = opened.adopt(await openLog(folder, signal), (open) => open.close());
  const encoder = opened.adopt(await ParquetWorker.start('snappy'), (worker) => worker.close());
  const figures: Figure[] = [];
  for (const of of CHANNELS) {
    await appendAll(log, input.entries(of, effort.records[of]));
    figures.push(...(await compare(bench, log, encoder, of)));
  }
  return figures;
}

async function compare(bench: Bench, log: EventLog, encoder: ParquetWorker, of: Channel): Promise<readonly Figure[]> {
  const { effort, folder, signal } = bench;
  const records = effort.records[of];
  const rowGroupRows = ROW_GROUP_ROWS[of];
  const reference = join(folder, 'reference');
  await recordOnce(bench, { log, encoder, of, lake: reference });
  const files = `${reference}/**/*.parquet`;
  const task: DuckDbTask = { files, out: join(folder, 'duckdb.parquet'), rowGroupRows };
  await using duckdb = Child.start(DUCKDB, task, []);
  await duckdb.says<'ready'>(signal);

  const samples = await inRounds(bench, async () => {
    const ours = await recordOnce(bench, { log, encoder, of, lake: join(folder, 'lake') });
    await rm(join(folder, 'lake'), { recursive: true });
    const theirs = await duckdb.ask<DuckDbRound>('round', signal);
    expectStored(of, theirs.rows, records);
    if (theirs.differences > 0)
      throw new Error(`${theirs.differences} ${of} rows differ between DuckDB's file and ours`);
    const duckdbRate = (records * 1_000) / (theirs.appendMs + theirs.copyMs);
    return {
      rate: ours.rate,
      size: ours.size,
      duckdbRate,
      appender: (records * 1_000) / theirs.appendMs,
      copy: (records * 1_000) / theirs.copyMs,
      duckdbSize: theirs.bytes / records,
      ratio: ours.rate / duckdbRate,
    };
  });
  await rm(reference, { recursive: true });
  const rate = { group: 'cold', of, unit: 'rows/s' } as const;
  return [
    figure({ ...rate, what: 'log to Parquet' }, samples.rate),
    figure({ ...rate, what: 'ours beside DuckDB', unit: 'ratio' }, samples.ratio),
    figure({ ...rate, what: 'DuckDB, appender and COPY' }, samples.duckdbRate),
    figure({ ...rate, what: 'DuckDB, of it the appender' }, samples.appender),
    figure({ ...rate, what: 'DuckDB, of it COPY' }, samples.copy),
    figure({ ...rate, what: 'size', unit: 'bytes/row' }, samples.size),
    figure({ ...rate, what: 'size of DuckDB’s', unit: 'bytes/row' }, samples.duckdbSize),
  ];
}

interface Recorded {
  readonly log: EventLog;
  readonly encoder: ParquetWorker;
  readonly of: Channel;
  /** Folder of a lake that is made for it. */
  readonly lake: string;
}

async function recordOnce(
  { effort, signal }: Bench,
  { log, encoder, of, lake }: Recorded,
): Promise<{ readonly rate: number; readonly size: number }> {
  const records = effort.records[of];
  await mkdir(lake);
  const store = new LakeStore({ objects: await FolderObjectStore.open(lake), log, encoder });
  await using run = new Recording(log, of, signal, (options) => new ColdRecorder({ ...options, store }));
  const rate = await recordsPerSecond(records, () => run.catchUp());
  const { rows, bytes } = run.recorder.counts;
  expectStored(of, rows, records);
  return { rate, size: bytes / rows };
}
