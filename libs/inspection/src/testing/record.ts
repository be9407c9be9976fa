import { randomBytes } from 'node:crypto';
import type { EventLog } from '@aipx/event-log';
import { LakeStore, ParquetWorker, type ObjectStore } from '@aipx/lake';
import { EVENT_TOPICS } from '@aipx/market-proto';
import { ColdRecorder, HotRecorder, RecordingPipeline } from '@aipx/recording';
import { TimescaleStore, type DatabaseAddress } from '@aipx/timescale';

const TIME_LIMIT_MS = 60_000;
const TOPICS = Object.values(EVENT_TOPICS);

/** Runs both recorders, as in production, until everything in the log is stored. */
export async function record(
  log: EventLog,
  address: DatabaseAddress,
  objects: ObjectStore,
  options: { readonly batchRows?: number } = {},
): Promise<void> {
  await using closing = new AsyncDisposableStack();
  const encoder = await ParquetWorker.start();
  closing.defer(() => encoder.close());
  const store = new TimescaleStore(address);
  closing.defer(() => store.close());
  const stop = new AbortController();
  const { signal } = stop;
  const recorders = [
    new HotRecorder({ log, store, signal }),
    new ColdRecorder({ log, store: new LakeStore({ objects, log, encoder }), signal, ...options }),
  ];
  const group = randomBytes(4).toString('hex');
  const pipelines = recorders.map(
    (recorder) => new RecordingPipeline({ log, recorder, group: `${group}-${recorder.name}`, topics: TOPICS }),
  );
  // What a pipeline fails with, `ready` and `drain` reject with.
  const running = Promise.allSettled(pipelines.map((pipeline) => pipeline.run(signal)));
  closing.defer(async () => {
    stop.abort();
    await running;
  });
  const limit = AbortSignal.timeout(TIME_LIMIT_MS);
  await Promise.all(pipelines.map((pipeline) => pipeline.ready(limit)));
  await Promise.all(pipelines.map((pipeline) => pipeline.drain(limit)));
}
