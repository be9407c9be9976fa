import type { CommittedOffset, EventLog, TopicPartition } from '@aipx/event-log';
import { ColdRecorder, type ColdCounts, type ColdRecorderOptions } from '@aipx/recording';
import { LakeStore, type LakeStoreOptions } from '../../src/lake-store.js';

export const TICKS: TopicPartition = { topic: 'market.tick', partition: 0 };

export type Setup = LakeStoreOptions &
  Partial<Omit<ColdRecorderOptions, 'onFault'>> & {
    readonly log: EventLog;
    /** Records handed over at once. @default 3 */
    readonly records?: number;
    /** What the group is said to have committed. */
    readonly committed?: CommittedOffset | undefined;
  };

export interface Life {
  readonly counts: ColdCounts;
  /** What it would have committed for the group. */
  readonly committed: CommittedOffset | undefined;
}

const QUICK = { floorMs: 1, capMs: 4 };

/** A recorder on a lake, as an app wires it. */
export function newRecorder(setup: Setup): ColdRecorder {
  const store = new LakeStore({ backoff: QUICK, ...setup });
  return new ColdRecorder({
    signal: new AbortController().signal,
    batchRows: 5,
    ...setup,
    store,
    onFault: () => undefined,
  });
}

/** One life of a recorder: takes a partition up, stores all that the log holds, and returns how it went. */
export async function recordAll(setup: Setup, partition: TopicPartition = TICKS): Promise<Life> {
  const recorder = newRecorder(setup);
  await feed(recorder, setup.log, partition, setup.records, setup.committed);
  await recorder.flush(new AbortController().signal);
  const committed = recorder.position(partition);
  await recorder.onRevoked(partition);
  return { counts: recorder.counts, committed };
}

export async function feed(
  recorder: ColdRecorder,
  log: EventLog,
  partition: TopicPartition,
  maxRecords = 3,
  committed?: CommittedOffset,
): Promise<void> {
  const { end } = await log.range(partition);
  let next = await recorder.onAssigned(partition, await log.range(partition), committed);
  while (next < end) {
    const records = await log.read(partition, next, { maxRecords, maxBytes: 1024 * 1024 });
    await recorder.onRecords(partition, records);
    next = (records.at(-1)?.offset ?? end) + 1n;
  }
}
