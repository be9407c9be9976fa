import type { LogEntry } from '@aipx/event-log';
import { MarketDataError, type Tick } from '@aipx/market-model';
import { entryOf, undecodable } from '@aipx/market-proto/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FolderObjectStore } from '../src/object-store/folder-object-store.js';
import { audit } from './support/audit.js';
import { NEARLY_TWO, SECOND, ticks } from './support/events.js';
import { FaultyObjectStore, Killed } from './support/faulty-object-store.js';
import { InThreadEncoder } from './support/in-thread-encoder.js';
import { MemoryLog } from './support/memory-log.js';
import { MemoryObjectStore } from './support/memory-object-store.js';
import { feed, newRecorder, recordAll, TICKS } from './support/record-all.js';
import { tempFolder } from './support/temp-folder.js';

const encoder = new InThreadEncoder();

async function logOf(rows: number): Promise<MemoryLog> {
  const log = new MemoryLog();
  await log.append(ticks(rows).map((event, index) => (index % 7 === 3 ? undecodable('market.tick') : entryOf(event))));
  return log;
}

/**
 * One owner's life: what it could not do because it was killed does not concern the others. It begins again, as the
 * pipeline does, where retention was faster than it looked.
 */
async function live(life: () => Promise<unknown>): Promise<void> {
  try {
    await life();
  } catch (error) {
    if (error instanceof MarketDataError && error.retryable) return live(life);
    if (!(error instanceof Error && (error instanceof Killed || error.cause instanceof Killed))) throw error;
  }
}

describe('several owners of one partition', () => {
  it('make one chain when they work at the same time with different cuts', async () => {
    const folder = await tempFolder();
    const log = await logOf(60);
    const owners = [3, 4, 7].map(async (batchRows, index) =>
      recordAll({ objects: await FolderObjectStore.open(folder), log, encoder, batchRows, records: index + 2 }),
    );
    const recorders = await Promise.all(owners);
    const whereabouts = await audit(await FolderObjectStore.open(folder), TICKS);
    expect(whereabouts).toHaveLength(60);
    expect(whereabouts).not.toContain('missing');
    for (const recorder of recorders)
      expect(recorder.counts.rows + recorder.counts.dlq).toBe(recorder.counts.recovered);
  });

  it('make one chain in whatever order their calls reach the store, with some killed and records forgotten', async () => {
    const owner = fc.record({ batchRows: fc.integer({ min: 1, max: 9 }), lives: fc.nat(25) });
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.array(owner, { minLength: 2, maxLength: 3 }),
        fc.option(fc.integer({ min: 1, max: 20 })),
        async (scheduler, owners, forgotten) => {
          const objects = new MemoryObjectStore();
          const log = await logOf(20);
          const lives = owners.map(({ batchRows, lives: calls }) => {
            const disturbed = new FaultyObjectStore(objects, async ({ index, operation, key }, moment) => {
              await scheduler.schedule(Promise.resolve(), `${moment} ${operation} ${key}`);
              if (index === calls && moment === 'after') throw new Killed();
            });
            return live(() => recordAll({ objects: disturbed, log, encoder, batchRows }));
          });
          if (forgotten !== null) {
            lives.push(
              scheduler.schedule(Promise.resolve(), 'retention').then(() => log.forget('market.tick', forgotten)),
            );
          }
          await scheduler.waitFor(Promise.all(lives));
          await recordAll({ objects, log, encoder, batchRows: 4 });
          const whereabouts = await audit(objects, TICKS);
          expect(whereabouts).toHaveLength(20);
          expect(whereabouts.slice(forgotten ?? 0)).not.toContain('missing');
        },
      ),
      { numRuns: 100 },
    );
  });

  it.each<[string, number, (second: Tick) => LogEntry]>([
    ['cannot decode what another version planned', 0, () => undecodable('market.tick')],
    ['cannot decode it, and retention took another', 1, () => undecodable('market.tick')],
    ['finds another planned hour for it', 0, (second) => entryOf({ ...second, timestamp: NEARLY_TWO + 2n * SECOND })],
    ['finds an hour that has no file', 0, (second) => entryOf({ ...second, timestamp: 0n })],
  ])('write nothing and refuse when one %s', async (_, taken, readAs) => {
    const objects = new MemoryObjectStore();
    const planning = new FaultyObjectStore(objects, ({ key }, moment) => {
      if (key.endsWith('.json') && moment === 'after') throw new Killed();
    });
    const events = ticks(4);
    const entries = events.map(entryOf);
    const log = new MemoryLog();
    await log.append(entries);
    await live(() => recordAll({ objects: planning, log, encoder }));
    const other = new MemoryLog();
    await other.append(entries.with(1, readAs(events[1] ?? expect.fail())));
    const refusal = {
      code: 'STORE_REFUSED',
      message: expect.stringMatching(/offset 0 to 3 was planned by another version/),
    };
    other.forget('market.tick', taken);
    await expect(recordAll({ objects, log: other, encoder })).rejects.toMatchObject(refusal);
    expect(objects.objects.size).toBe(1);
    await recordAll({ objects, log, encoder });
    expect(await audit(objects, TICKS)).toEqual(Array(4).fill('file'));
  });

  it('go on after a stretch that another owner has stored, without storing it again', async () => {
    const objects = new MemoryObjectStore();
    const log = await logOf(12);
    const slow = newRecorder({ objects, log, encoder, batchRows: 100 });
    await feed(slow, log, TICKS);
    await recordAll({ objects, log, encoder, batchRows: 12 });
    await log.append(ticks(3).map(entryOf));
    await slow.onRecords(TICKS, await log.read(TICKS, 12n, { maxRecords: 3, maxBytes: 1024 }));
    await slow.flush(new AbortController().signal);
    expect(slow.storedTo(TICKS)).toBe(15n);
    expect(await audit(objects, TICKS)).toHaveLength(15);
    expect([...objects.objects.keys()].filter((key) => key.includes('_plan'))).toHaveLength(2);
  });
});
