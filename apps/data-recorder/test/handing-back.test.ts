import { join } from 'node:path';
import type { EventLog, ReadLimits } from '@aipx/event-log';
import { FolderObjectStore, LakeStore, ParquetWorker } from '@aipx/lake';
import { EVENT_TOPICS } from '@aipx/market-proto';
import { ColdRecorder, HotRecorder, RecordingPipeline, type ColdStore, type HotStore } from '@aipx/recording';
import { kafkaUnavailable } from '@aipx/stack';
import { TimescaleStore } from '@aipx/timescale';
import { describe, expect, it, onTestFinished } from 'vitest';
import { migratedDatabase } from './support/database.js';
import { TestLog } from './support/log.js';
import { contentsOfDatabase, contentsOfLake, contentsOfLog, temporaryFolder, type Contents } from './support/stored.js';

const missing = kafkaUnavailable();
const why = missing === undefined ? '' : ` (needs Kafka: ${missing})`;
/** Less than the 60 s after which a group goes on without a member that hands nothing back, and far more than it takes. */
const HANDED_BACK_MS = 45_000;

/** So that there is more for each partition: what is handed over next waits for what was taken. */
const FEW: ReadLimits = { maxRecords: 5, maxBytes: 100_000 };

type Making = (log: EventLog, signal: AbortSignal) => HotRecorder | ColdRecorder;

/** A sink whose store can be reached by one of two members only. */
interface Sink {
  readonly group: string;
  readonly reached: Making;
  /** Its store is away and stays away. `onAway` is called when it is first waited for. */
  readonly away: (onAway: () => void) => Making;
  contents(): Promise<Contents>;
}

describe.skipIf(missing !== undefined)(`the rebalance of a real group${why}`, () => {
  it.each([
    ['hot', hotSink],
    ['cold', coldSink],
  ])('does not wait for a store that a %s recorder waits for, and loses and doubles nothing', async (_, makeSink) => {
    const [one, other] = [await TestLog.open(), await TestLog.open()];
    await one.append(300);
    const sink = await makeSink();
    const isAway = Promise.withResolvers<undefined>();
    const stuck = start(
      one.log,
      sink,
      sink.away(() => isAway.resolve(undefined)),
      FEW,
    );
    await isAway.promise;
    const joinedAt = performance.now();
    const next = start(other.log, sink, sink.reached);
    await next.read;
    expect(performance.now() - joinedAt).toBeLessThan(HANDED_BACK_MS);
    await stuck.leave();
    await next.pipeline.drain(AbortSignal.timeout(60_000));
    expect(await sink.contents()).toEqual(await contentsOfLog(one));
  });
});

function start(log: EventLog, { group }: Sink, make: Making, limits?: ReadLimits) {
  const stop = new AbortController();
  const read = Promise.withResolvers<undefined>();
  const pipeline = new RecordingPipeline({
    log,
    recorder: make(log, stop.signal),
    group,
    topics: Object.values(EVENT_TOPICS),
    ...(limits !== undefined && { limits }),
    onRead: () => read.resolve(undefined),
  });
  const running = pipeline.run(stop.signal);
  const leave = async () => {
    stop.abort();
    await running;
  };
  onTestFinished(leave);
  return { pipeline, read: read.promise, leave };
}

async function hotSink(): Promise<Sink> {
  const database = await migratedDatabase();
  const store = new TimescaleStore(database.address);
  onTestFinished(() => store.close());
  const making =
    (used: HotStore, room = {}): Making =>
    (log, signal) =>
      new HotRecorder({ log, store: used, signal, batchTimeoutMs: 50, ...room });
  return {
    group: `handing-back-${database.address.database}`,
    reached: making(store),
    away: (onAway) =>
      making(
        {
          openPosition: (...of) => store.openPosition(...of),
          readPositions: (...of) => store.readPositions(...of),
          commit: (_, __, signal) => away(signal, onAway),
        },
        { batchSize: 1, maxBufferedRecords: 1 },
      ),
    contents: () => contentsOfDatabase(database),
  };
}

async function coldSink(): Promise<Sink> {
  const folder = await temporaryFolder();
  const objects = await FolderObjectStore.open(folder);
  const encoder = await ParquetWorker.start('snappy');
  onTestFinished(() => encoder.close());
  const making =
    (storeOn: (log: EventLog) => ColdStore, room = {}): Making =>
    (log, signal) =>
      new ColdRecorder({ log, store: storeOn(log), signal, ...room });
  const lake = (log: EventLog) => new LakeStore({ log, objects, encoder });
  return {
    group: `handing-back-${folder}`.replaceAll('/', '-'),
    reached: making(lake),
    away: (onAway) =>
      making(
        (log) => ({
          open: async (partition, session, committed) => {
            const { finishedTo, finished, position, hint } = await lake(log).open(partition, session, committed);
            const write = async function* () {
              yield await away(session.signal, onAway);
            };
            return { finishedTo, finished, position, hint, write };
          },
        }),
        { maxBufferBytes: 1 },
      ),
    contents: () => contentsOfLake(join(folder, 'market-data')),
  };
}

/** As a store that does not answer. */
function away(signal: AbortSignal, onAway: () => void): Promise<never> {
  onAway();
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}
