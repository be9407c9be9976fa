import type { EventLog, LogRecord } from '@aipx/event-log';
import { MarketDataError } from '@aipx/market-model';
import { describe, expect, it } from 'vitest';
import { Outages } from '../outages.js';
import { BatchWriter } from './batch-writer.js';
import { cutBatch } from './cut-batch.js';
import type { HotBatch, HotCommit, HotStore, RefusedRow, StoredPosition } from './hot-store.js';
import { PartitionQueue, type QueueHead } from './partition-queue.js';

const NEVER = new AbortController().signal;
const COMMIT: HotCommit = { doubt: undefined, tick: 0, orderbook: 0, gap: 0, duplicates: 0, refused: [] };
const LOST = new MarketDataError('STORE_UNAVAILABLE', 'the connection was lost around a COMMIT', { retryable: true });
const IN_DOUBT: HotCommit = { ...COMMIT, doubt: LOST };
const MOVED = new MarketDataError('STORE_POSITION_MOVED', 'another writer was here', { retryable: true });

describe('a batch writer', () => {
  it('holds a revocation up until the dead letters and the commit behind them are through', async () => {
    const { writer, log, store, queues, heads } = setUp(1);
    const mayAppend = Promise.withResolvers<undefined>();
    const appending = log.nextAppend(mayAppend.promise);
    const done: string[] = [];
    const writing = writer.write(heads, NEVER).then(() => done.push('written'));
    await appending;
    const revoking = revoke(writer, queues[0]).then(() => done.push('revoked'));
    mayAppend.resolve(undefined);
    await Promise.all([writing, revoking]);
    expect(store.commits).toEqual([[0]]);
    expect(done).toEqual(['written', 'revoked']);
  });

  it('writes no dead letter when another writer was there', async () => {
    const { writer, log, store, heads } = setUp(1);
    store.beforeBury = () => Promise.reject(MOVED);
    await expect(writer.write(heads, NEVER)).rejects.toBe(MOVED);
    expect(log.letters).toBe(0);
  });

  it('leaves out what was revoked while it asked whether a commit had landed', async () => {
    const { writer, store, queues, heads } = setUp(2);
    store.outcomes.push(IN_DOUBT);
    store.beforeRead = () => void revoke(writer, queues[0]);
    const written = await writer.write(heads, NEVER);
    expect(store.commits).toEqual([[0, 1], [1]]);
    expect(written?.heads).toEqual([heads[1]]);
  });

  it('counts a commit of unknown outcome that landed with all its partitions, also the revoked ones', async () => {
    const { writer, store, queues, heads } = setUp(2);
    store.outcomes.push({ ...IN_DOUBT, gap: 2 });
    store.lands = true;
    store.afterCommit = () => void revoke(writer, queues[0]);
    const written = await writer.write(heads, NEVER);
    expect(store.commits).toEqual([[0, 1]]);
    expect(written).toMatchObject({ heads, commit: { gap: 2 } });
  });

  it('reports a commit that did not land, before it tries again', async () => {
    const { writer, store, heads, faults } = setUp(1);
    store.outcomes.push(IN_DOUBT, IN_DOUBT);
    await writer.write(heads, NEVER);
    expect(store.commits).toHaveLength(3);
    expect(faults).toEqual([LOST, LOST]);
  });

  it('tries the rest again when what was revoked meanwhile may be what had moved', async () => {
    const { writer, store, queues, heads, faults } = setUp(2);
    store.beforeBury = () => {
      store.beforeBury = undefined;
      void revoke(writer, queues[0]);
      return Promise.reject(MOVED);
    };
    expect((await writer.write(heads, NEVER))?.heads).toEqual([heads[1]]);
    expect(faults).toEqual([]);
  });

  it('fails when the store refuses the Gap for a stretch that retention took: nothing else could keep it', async () => {
    const { writer, store } = setUp(1);
    const queue = new PartitionQueue({ topic: 'market.gap', partition: 7 }, 0n);
    queue.addRetentionGap(3n, 0n);
    const [item] = queue.head()?.items ?? [];
    if (item === undefined || !('row' in item)) throw new Error('no Gap');
    store.refused.push({ row: item.row, reason: 'STORE_REFUSED', message: 'no' });
    await expect(writer.write(headsOf([queue]), NEVER)).rejects.toMatchObject({
      code: 'STORE_REFUSED',
      message: 'the Gap for what retention took of market.gap/7: no',
    });
    expect(store.commits).toEqual([]);
  });
});

/** A writer, and a queue with one undecodable record for each partition. */
function setUp(partitions: number) {
  const queues = Array.from({ length: partitions }, (_, partition) => {
    const place = { topic: 'market.gap', partition };
    const queue = new PartitionQueue(place, 0n);
    const record: LogRecord = { ...place, offset: 0n, key: '', value: Buffer.from('?'), headers: {}, appendedAt: 0n };
    queue.add([record]);
    return queue;
  });
  const log = new GatedLog();
  const store = new ScriptedStore();
  const faults: MarketDataError[] = [];
  const writer = new BatchWriter(log as unknown as EventLog, store, new Outages((fault) => void faults.push(fault)));
  return { writer, log, store, queues, heads: headsOf(queues), faults };
}

function headsOf(queues: readonly PartitionQueue[]): readonly QueueHead[] {
  return cutBatch(queues, Infinity);
}

async function revoke(writer: BatchWriter, queue: PartitionQueue | undefined): Promise<void> {
  if (queue === undefined) throw new Error('no such queue');
  queue.revoke();
  await writer.revoked(queue, 60_000);
}

/** Takes dead letters, when it may. */
class GatedLog {
  readonly id = 'log';
  letters = 0;
  #gate: Promise<unknown> = Promise.resolve();
  #appending = Promise.withResolvers<undefined>();

  /** Resolves when the next append has begun; it ends with the gate. */
  nextAppend(gate: Promise<unknown>): Promise<undefined> {
    this.#gate = gate;
    return this.#appending.promise;
  }

  async append(entries: readonly unknown[]): Promise<void> {
    this.#appending.resolve(undefined);
    await this.#gate;
    this.letters += entries.length;
  }
}

/** A store whose commits end as they are told, and well after that. */
class ScriptedStore implements HotStore {
  /** The partitions of each commit. */
  readonly commits: number[][] = [];
  readonly outcomes: HotCommit[] = [];
  readonly refused: RefusedRow[] = [];
  /** Whether a commit of unknown outcome is stored. */
  lands = false;
  beforeBury: (() => Promise<void>) | undefined;
  beforeRead: (() => void) | undefined;
  afterCommit: (() => void) | undefined;

  async openPosition(): Promise<StoredPosition> {
    throw new Error('nobody asks for it here');
  }

  async readPositions(partitions: readonly unknown[]): Promise<StoredPosition[]> {
    this.beforeRead?.();
    return partitions.map(() => ({ logId: 'log', nextOffset: this.lands ? 1n : 0n, lastHash: undefined }));
  }

  async commit({ moves }: HotBatch, bury: (refused: readonly RefusedRow[]) => Promise<void>): Promise<HotCommit> {
    await this.beforeBury?.();
    await bury(this.refused);
    this.commits.push(moves.map(({ partition }) => partition));
    this.afterCommit?.();
    return this.outcomes.shift() ?? COMMIT;
  }
}
