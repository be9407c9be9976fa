import { EmbeddedEventLog, DEAD_LETTER_TOPIC, type EventLog } from '@aipx/event-log';
import { FolderObjectStore, LakeStore, ParquetWorker } from '@aipx/lake';
import type { MarketDataError } from '@aipx/market-model';
import { EVENT_TOPICS } from '@aipx/market-proto';
import { ColdRecorder, HotRecorder, RecordingPipeline, type ColdCounts, type HotCounts } from '@aipx/recording';
import type { Logger } from '@aipx/service';
import { migrate, TimescaleStore } from '@aipx/timescale';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '@aipx/embedded-postgres';
import type { DataFolder } from './data-folder.js';

/** One partition a topic: one process reads it, and its batches fill soonest. */
const TOPICS = Object.fromEntries([...Object.values(EVENT_TOPICS), DEAD_LETTER_TOPIC].map((topic) => [topic, 1]));
const RECORDED_TOPICS = Object.values(EVENT_TOPICS);
/** Rows wait for their batch at most this long, so that what is seen in the database is about now. */
const HOT_BATCH_TIMEOUT_MS = 500;
const COLD_BATCH_BYTES = 4 * 1024 * 1024;
/** Few enough that the largest batch, and with it the memory it takes, has been seen within seconds. */
const COLD_BATCH_ROWS = 10_000;

/** Where the run's data goes: the log, the database and the lake, and the two recorders between them. */
export interface EmbeddedStores extends AsyncDisposable {
  readonly log: EventLog;
  readonly postgres: EmbeddedPostgres;
  /** Rejects when a store can no longer be written; never resolves. */
  readonly failed: Promise<never>;
  readonly counts: { readonly hot: HotCounts; readonly cold: ColdCounts };
  /** Records in the log that a sink has not stored. */
  lag(): Promise<{ readonly hot: number; readonly cold: number }>;
  /** Resolves when both sinks have stored everything that is in the log now. */
  drain(signal: AbortSignal): Promise<void>;
}

/**
 * Opens the data folder's log, database and lake, and begins to record. What an earlier run left in the log is
 * recorded as well.
 */
export async function openStores(
  folder: DataFolder,
  databasePort: number,
  logger: Logger,
  signal: AbortSignal,
): Promise<EmbeddedStores> {
  await using opening = new AsyncDisposableStack();
  const log = await EmbeddedEventLog.open({ path: folder.log, topics: TOPICS, signal });
  opening.defer(() => log.close());
  const objects = await FolderObjectStore.open(folder.lake);
  const encoder = await ParquetWorker.start();
  opening.defer(() => encoder.close());
  const postgres = await startEmbeddedPostgres({
    dataDir: folder.postgres,
    port: databasePort,
    signal,
    onLog: (line) => {
      logger.debug({ component: 'postgres' }, line);
    },
  });
  opening.defer(() => postgres.stop());
  await migrate(postgres, { signal });

  const stop = new AbortController();
  const ending = AbortSignal.any([signal, stop.signal]);
  const warn = (component: string) => (fault: MarketDataError) => {
    logger.warn({ component, code: fault.code }, fault.message);
  };
  const store = new TimescaleStore(postgres);
  opening.defer(() => store.close());
  const hot = new HotRecorder({
    log,
    store,
    signal: ending,
    batchTimeoutMs: HOT_BATCH_TIMEOUT_MS,
    onFault: warn('hot'),
  });
  const lake = new LakeStore({
    objects,
    log,
    encoder,
    onFault: ({ error }) => {
      warn('cold')(error);
    },
  });
  const cold = new ColdRecorder({
    store: lake,
    log,
    signal: ending,
    batchBytes: COLD_BATCH_BYTES,
    batchRows: COLD_BATCH_ROWS,
  });
  const pipelines = [hot, cold].map((recorder) => {
    return new RecordingPipeline({
      log,
      recorder,
      group: recorder.name,
      topics: RECORDED_TOPICS,
      onFault: warn(recorder.name),
    });
  });
  const running = Promise.all(pipelines.map((pipeline) => pipeline.run(ending)));
  opening.defer(async () => {
    stop.abort();
    await running.catch(() => undefined); // told by `failed`
  });
  const failed = failureOf(running, postgres);
  // What is appended before both know their positions would count as left over from an earlier run.
  await Promise.race([Promise.all(pipelines.map((pipeline) => pipeline.ready(ending))), failed]);

  const opened = opening.move();
  return {
    log,
    postgres,
    failed,
    get counts() {
      return { hot: hot.counts, cold: cold.counts };
    },
    lag: () => lagOf(log, { hot, cold }),
    drain: async (drainSignal) => {
      await Promise.all(pipelines.map((pipeline) => pipeline.drain(drainSignal)));
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

function failureOf(running: Promise<unknown>, postgres: EmbeddedPostgres): Promise<never> {
  const failure = Promise.withResolvers<never>();
  failure.promise.catch(() => undefined);
  running.catch((error: unknown) => {
    failure.reject(error);
  });
  void postgres.ended.then((error) => {
    if (error !== undefined) failure.reject(error);
  });
  return failure.promise;
}

async function lagOf(log: EventLog, recorders: { readonly hot: HotRecorder; readonly cold: ColdRecorder }) {
  const partitions = (await Promise.all(RECORDED_TOPICS.map((topic) => log.partitionsOf(topic)))).flat();
  const lag = { hot: 0n, cold: 0n };
  for (const partition of partitions) {
    const { begin, end } = await log.range(partition);
    lag.hot += end - (recorders.hot.storedTo(partition) ?? begin);
    lag.cold += end - (recorders.cold.storedTo(partition) ?? begin);
  }
  return { hot: Number(lag.hot), cold: Number(lag.cold) };
}
