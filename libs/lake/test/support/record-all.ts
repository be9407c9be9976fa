import type { EventLog, TopicPartition } from '@aipx/event-log';
import { ColdRecorder, type ColdRecorderOptions } from '@aipx/recording';
import { LakeStore, type LakeStoreOptions } from '../../src/lake-store.js';

export const TICKS: TopicPartition = { topic: 'market.tick', partition: 0 };

export type Setup = LakeStoreOptions &
  Partial<ColdRecorderOptions> & {
    readonly log: EventLog;
    /** Records handed over at once. @default 3 */
    readonly records?: number;
  };

const QUICK = { floorMs: 1, capMs: 4 };

/** A recorder on a lake, as an app wires it. */
export function newRecorder(setup: Setup): ColdRecorder {
  const store = new LakeStore({ backoff: QUICK, ...setup });
  return new ColdRecorder({ signal: new AbortController().signal, batchRows: 5, ...setup, store });
}

/** One life of a recorder: takes a partition up, stores all that the log holds, and returns how it went. */
export async function recordAll(setup: Setup, partition: TopicPartition = TICKS): Promise<ColdRecorder> {
  const recorder = newRecorder(setup);
  await feed(recorder, setup.log, partition, setup.records);
  await recorder.flush(new AbortController().signal);
  await recorder.onRevoked(partition);
  return recorder;
}

export async function feed(
  recorder: ColdRecorder,
  log: EventLog,
  partition: TopicPartition,
  maxRecords = 3,
): Promise<void> {
  const { end } = await log.range(partition);
  let next = await recorder.onAssigned(partition, await log.range(partition));
  while (next < end) {
    const records = await log.read(partition, next, { maxRecords, maxBytes: 1024 * 1024 });
    await recorder.onRecords(partition, records);
    next = (records.at(-1)?.offset ?? end) + 1n;
  }
}
