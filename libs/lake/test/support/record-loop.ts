/**
 * A process that records a log to a lake until all is stored, and tells its parent of each call to the object store
 * that is done, so that the parent can kill it there.
 */
import { join } from 'node:path';
import { EmbeddedEventLog } from '@aipx/event-log';
import { ColdRecorder, RecordingPipeline } from '@aipx/recording';
import { FolderObjectStore, LakeStore, ParquetWorker } from '../../src/index.js';
import { FaultyObjectStore } from './faulty-object-store.js';

const folder = process.argv[2] ?? '';
const { signal } = new AbortController();
const log = await EmbeddedEventLog.open({
  path: join(folder, 'log.db'),
  topics: { 'market.tick': 2, 'market.orderbook': 2 },
});
const objects = new FaultyObjectStore(
  await FolderObjectStore.open(join(folder, 'lake')),
  async ({ operation, key }, moment) => {
    if (moment === 'after') process.send?.(`${operation} ${key}`);
    await new Promise((resolve) => setImmediate(resolve)); // the channel to the parent needs the event loop
  },
);
const store = new LakeStore({ objects, log, encoder: await ParquetWorker.start() });
const recorder = new ColdRecorder({ store, log, signal, batchRows: 20 });
const pipeline = new RecordingPipeline({ log, recorder, group: 'cold', topics: log.topics });
const stop = new AbortController();
const running = pipeline.run(stop.signal);
await pipeline.ready(signal);
await pipeline.drain(signal);
stop.abort();
await running;
process.send?.('done');
process.exit(0);
