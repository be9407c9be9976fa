import { entryOf, undecodable } from '@aipx/market-proto/testing';
import { describe, expect, it, vi } from 'vitest';
import { FolderObjectStore } from '../src/object-store/folder-object-store.js';
import { audit } from './support/audit.js';
import { allOf, query } from './support/duckdb.js';
import { ticks } from './support/events.js';
import { FaultyObjectStore, Killed, type Moment } from './support/faulty-object-store.js';
import { InThreadEncoder } from './support/in-thread-encoder.js';
import { MemoryLog } from './support/memory-log.js';
import { recordAll, TICKS } from './support/record-all.js';
import { tempFolder } from './support/temp-folder.js';

const encoder = new InThreadEncoder();

/** Twelve ticks around an hour's end, of which offsets 4 and 8 hold no event. */
async function newLog(): Promise<MemoryLog> {
  const log = new MemoryLog();
  const events = ticks(10).map(entryOf);
  await log.append([
    ...events.slice(0, 4),
    undecodable('market.tick'),
    ...events.slice(4, 7),
    undecodable('market.tick'),
    ...events.slice(7),
  ]);
  return log;
}

/** One life that ends at the n-th call to the store. `false` when it came to its end before. */
async function killedAt(folder: string, log: MemoryLog, index: number, moment: Moment): Promise<boolean> {
  const objects = new FaultyObjectStore(await FolderObjectStore.open(folder), (call, at) => {
    if (call.index === index && at === moment) throw new Killed();
  });
  try {
    await recordAll({ objects, log, encoder });
    return false;
  } catch (error) {
    if (!(error instanceof Error && (error instanceof Killed || error.cause instanceof Killed))) throw error;
    return true;
  }
}

describe('the lake after a crash', () => {
  it.each<Moment>(['before', 'after'])(
    'holds each row once when the recorder is killed %s any call to the store',
    async (moment) => {
      const log = await newLog();
      let index = 0;
      for (let killed = true; killed; index += 1) {
        const folder = await tempFolder();
        killed = await killedAt(folder, log, index, moment);
        const objects = await FolderObjectStore.open(folder);
        const second = await recordAll({ objects, log, encoder });
        const whereabouts = await audit(objects, TICKS);
        expect(whereabouts.map((where) => where === 'file')).toEqual(
          Array.from({ length: 12 }, (_, at) => at !== 4 && at !== 8),
        );
        if (!killed) continue;
        const { recovered, rows, dlq } = second.counts;
        expect(recovered).toBe(rows + dlq);
      }
      expect(index).toBeGreaterThan(12); // 2 listings and 3 batches of a plan, one or two files and an entry
    },
  );

  it('holds each row once when the recorder is killed again and again, each time a call later', async () => {
    const folder = await tempFolder();
    const log = await newLog();
    for (let index = 0; await killedAt(folder, log, index, index % 2 === 0 ? 'before' : 'after'); index += 1);
    const objects = await FolderObjectStore.open(folder);
    expect((await audit(objects, TICKS)).filter((where) => where === 'undecodable')).toHaveLength(2);
    const rows = await query(`SELECT trade_id FROM ${allOf(folder, 'tick')} ORDER BY log_offset`);
    expect(rows.map((row) => row['trade_id'])).toEqual(ticks(10).map(({ tradeId }) => tradeId));
  });

  it('can be finished at another try when retention was faster than a look at the log', async () => {
    const folder = await tempFolder();
    const log = await newLog();
    expect(await killedAt(folder, log, 2, 'after')).toBe(true); // two listings, and the first plan is there
    const read = log.read.bind(log);
    vi.spyOn(log, 'read').mockImplementation((partition, from, limits) => {
      if (from === 0n) log.forget('market.tick', 3);
      return read(partition, from, limits);
    });
    const objects = await FolderObjectStore.open(folder);
    const refusal = { code: 'STORE_REFUSED', retryable: true };
    await expect(recordAll({ objects, log, encoder })).rejects.toMatchObject(refusal);
    await recordAll({ objects, log, encoder });
    expect((await audit(objects, TICKS)).map((where) => where === 'missing')).toEqual(
      Array.from({ length: 12 }, (_, at) => at < 3),
    );
  });

  it('names as missing what retention took of an unfinished batch, and adds nothing to its files', async () => {
    for (let index = 0, killed = true; killed; index += 1) {
      const folder = await tempFolder();
      const log = await newLog();
      killed = await killedAt(folder, log, index, 'after');
      log.forget('market.tick', 7);
      const objects = await FolderObjectStore.open(folder);
      const second = await recordAll({ objects, log, encoder });
      const whereabouts = await audit(objects, TICKS);
      expect(whereabouts).toHaveLength(12);
      expect(whereabouts.slice(7)).toEqual(['file', 'undecodable', 'file', 'file', 'file']);
      expect(['undecodable', 'missing']).toContain(whereabouts[4]);
      expect(['file', 'missing']).toEqual(expect.arrayContaining(whereabouts.slice(0, 4)));
      const { recovered, rows, dlq } = second.counts;
      expect(recovered).toBe(rows + dlq);
    }
  });
});
