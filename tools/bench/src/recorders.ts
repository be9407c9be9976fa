import { join } from 'node:path';
import type { EventLog } from '@aipx/event-log';
import { FolderObjectStore, LakeStore, ParquetWorker } from '@aipx/lake';
import type { Channel, MarketDataError } from '@aipx/market-model';
import { EVENT_TOPICS } from '@aipx/market-proto';
import { ColdRecorder, HotRecorder, RecordingPipeline, type Recorder } from '@aipx/recording';
import { migrate, TimescaleStore } from '@aipx/timescale';
import { startEmbeddedPostgres } from '@aipx/embedded-postgres';
import { CHANNELS, figure, type Figure } from './figures.ts';
import { appendAll, openLog } from './log.ts';
import { inRounds, recordsPerSecond, type Bench } from './measure.ts';

/** From the log into a PostgreSQL server of the bench's own; each round's rows come on top of those before. */
export async function measureHot(bench: Bench): Promise<readonly Figure[]> {
  const { input, effort, folder, signal } = bench;
  await using opened = new AsyncDisposableStack();
  const log = opened.adopt(await openLog(folder, signal), (open) => open.close());
  const postgres = await startEmbeddedPostgres({ dataDir: join(folder, 'postgres'), signal });
  opened.defer(() => postgres.stop());
  await migrate(postgres, { signal });
  const store = opened.adopt(new TimescaleStore(postgres), (connected) => connected.close());

  const figures: Figure[] = [];
  for (const of of CHANNELS) {
    const records = effort.records[of];
    const { rate } = await inRounds(bench, async () => {
      await appendAll(log, input.entries(of, records));
      await using run = new Recording(log, of, signal, (options) => new HotRecorder({ ...options, store }));
      const rate = await recordsPerSecond(records, () => run.catchUp());
      expectStored(of, run.recorder.counts[of], records);
      return { rate };
    });
    figures.push(figure({ group: 'hot', what: 'log to PostgreSQL', of, unit: 'rows/s' }, rate));
  }
  return figures;
}

/** From the log into Parquet files in a folder. */
export async function measureCold(bench: Bench): Promise<readonly Figure[]> {
  const { input, effort, folder, signal } = bench;
  await using opened = new AsyncDisposableStack();
  const log = opened.adopt(await openLog(folder, signal), (open) => open.close());
  const encoder = opened.adopt(await ParquetWorker.start(), (worker) => worker.close());
  const objects = await FolderObjectStore.open(join(folder, 'lake'));
  const store = new LakeStore({ objects, log, encoder });

  const figures: Figure[] = [];
  for (const of of CHANNELS) {
    const records = effort.records[of];
    const { rate, size } = await inRounds(bench, async () => {
      await appendAll(log, input.entries(of, records));
      await using run = new Recording(log, of, signal, (options) => new ColdRecorder({ ...options, store }));
      const rate = await recordsPerSecond(records, () => run.catchUp());
      const { rows, bytes } = run.recorder.counts;
      expectStored(of, rows, records);
      return { rate, size: bytes / rows };
    });
    figures.push(
      figure({ group: 'cold', what: 'log to Parquet', of, unit: 'rows/s' }, rate),
      figure({ group: 'cold', what: 'size in Parquet', of, unit: 'bytes/row' }, size),
    );
  }
  return figures;
}

interface RecorderOptions {
  readonly log: EventLog;
  readonly signal: AbortSignal;
  readonly onFault: (fault: MarketDataError) => void;
}

/** One stay of a recorder at the log, with its own defaults. Begins where the stay before it ended. */
export class Recording<Kind extends Recorder> implements AsyncDisposable {
  readonly recorder: Kind;
  readonly #pipeline: RecordingPipeline;
  readonly #stop = new AbortController();
  readonly #ending: AbortSignal;
  #running: Promise<void> | undefined;

  constructor(log: EventLog, of: Channel, signal: AbortSignal, open: (options: RecorderOptions) => Kind) {
    this.#ending = AbortSignal.any([signal, this.#stop.signal]);
    // A fault is waited out, which would be measured: it ends the run instead.
    const onFault = (fault: MarketDataError): void => {
      this.#stop.abort(fault);
    };
    this.recorder = open({ log, signal: this.#ending, onFault });
    const topics = [EVENT_TOPICS[of]];
    this.#pipeline = new RecordingPipeline({ log, recorder: this.recorder, group: 'bench', topics, onFault });
  }

  /** Resolves when everything in the log is stored. */
  async catchUp(): Promise<void> {
    this.#running = this.#pipeline.run(this.#ending);
    this.#running.catch(() => undefined); // `drain` fails with the same
    await this.#pipeline.drain(this.#ending);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#running?.catch(() => undefined);
  }
}

/** A store that is fast because it leaves rows out must not be praised. */
export function expectStored(of: Channel, stored: number, records: number): void {
  if (stored !== records) throw new Error(`${stored} of ${records} ${of} records were stored`);
}
