import type { CommittedOffset } from '@aipx/event-log';
import { entryOf } from '@aipx/market-proto/testing';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { audit } from './support/audit.js';
import { ticks } from './support/events.js';
import { FaultyObjectStore, Killed } from './support/faulty-object-store.js';
import { InThreadEncoder } from './support/in-thread-encoder.js';
import { MemoryLog } from './support/memory-log.js';
import { MemoryObjectStore } from './support/memory-object-store.js';
import { recordAll, TICKS } from './support/record-all.js';

const encoder = new InThreadEncoder();

async function recorded(rows: number, batchRows: number) {
  const objects = new MemoryObjectStore();
  const log = new MemoryLog();
  await log.append(ticks(rows).map(entryOf));
  await recordAll({ objects, log, encoder, batchRows });
  return { objects, log };
}

/** Takes the lake up and tells what that cost. */
async function callsWith(lake: Awaited<ReturnType<typeof recorded>>, committed: CommittedOffset | undefined) {
  const calls: string[] = [];
  const objects = new FaultyObjectStore(lake.objects, ({ operation }, moment) => {
    if (moment === 'before') calls.push(operation);
  });
  const { counts } = await recordAll({ objects, log: lake.log, encoder, committed });
  return { calls, counts };
}

const hint = (offset: bigint, metadata: string): CommittedOffset => ({ offset, metadata });
/** Whoever lives it comes to the log's end. */
const LAST_LIFE = { committed: undefined, batchRows: 4, calls: Infinity };
const LAST = hint(204n, '202');

describe('what the group has committed', () => {
  /** Of 102 batches, and nothing more to record. */
  let lake: Awaited<ReturnType<typeof recorded>>;
  beforeAll(async () => {
    lake = await recorded(204, 2);
  });

  it('is the last batch, and saves every listing', async () => {
    const { calls, counts } = await callsWith(lake, LAST);
    expect(calls).toEqual(['get', 'get', 'get']); // its plan, its entry, and no plan behind it
    expect(counts).toMatchObject({ recovered: 0, rows: 0 });
  });

  it('may lag behind: what follows is found by name, or by a listing when that is more than a hundred batches', async () => {
    expect((await callsWith(lake, hint(196n, '194'))).calls).toEqual(Array(11).fill('get'));
    expect((await callsWith(lake, hint(2n, '0'))).calls.slice(-4)).toEqual(['list', 'list', 'get', 'get']);
  });

  it.each<[string, CommittedOffset | undefined]>([
    ['nothing', undefined],
    ['an offset without a batch', hint(204n, '')],
    ['a batch that does not end there', hint(203n, '202')],
    ['an offset within a batch', hint(203n, '203')],
    ['what is no number', hint(204n, '0xca')],
    ['a number that is no offset', hint(204n, '99999999999999999999')],
    ['an offset beyond the log', hint(5000n, '4998')],
  ])('is not believed when it is %s', async (_, committed) => {
    const { calls, counts } = await callsWith(lake, committed);
    expect(calls).toContain('list');
    expect(counts).toMatchObject({ recovered: 0, rows: 0 });
  });

  it('is not believed when the plan that it names is of another log', async () => {
    const { objects } = await recorded(10, 5);
    const log = new MemoryLog('log-2');
    await log.append(ticks(10).map(entryOf));
    const committed = hint(10n, '5');
    await expect(recordAll({ objects, log, encoder, committed })).rejects.toMatchObject({ code: 'STORE_LOG_MISMATCH' });
  });

  it('leads to an unfinished batch, which is finished first', async () => {
    const left = await recorded(10, 5);
    await left.log.append(ticks(5).map(entryOf));
    const dying = new FaultyObjectStore(left.objects, ({ key }, moment) => {
      if (key.includes('_plan') && key.endsWith('10.json') && moment === 'after') throw new Killed();
    });
    await expect(recordAll({ objects: dying, log: left.log, encoder })).rejects.toThrow();
    for (const committed of [hint(10n, '5'), hint(15n, '10')]) {
      const objects = new MemoryObjectStore();
      for (const [key, body] of left.objects.objects) objects.objects.set(key, body);
      const { counts } = await recordAll({ objects, log: left.log, encoder, committed });
      expect(counts).toMatchObject({ recovered: 5, rows: 5 });
      expect(await audit(objects, TICKS)).toEqual(Array(15).fill('file'));
    }
  });

  it('loses and doubles nothing, whatever it says and whenever the recorder is killed', async () => {
    const number = fc.oneof(fc.nat(30).map(String), fc.constantFrom('', 'x', '-1', '99999999999999999999'));
    const anything = fc.record({ offset: fc.nat(30).map(BigInt), metadata: number });
    const life = fc.record({
      committed: fc.option(fc.oneof(anything, fc.constant('own' as const)), { nil: undefined }),
      batchRows: fc.integer({ min: 1, max: 6 }),
      calls: fc.nat(20),
      appended: fc.nat(6),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(life, { minLength: 1, maxLength: 6 }), async (lives) => {
        const objects = new MemoryObjectStore();
        const log = new MemoryLog();
        let own: CommittedOffset | undefined;
        for (const { committed, batchRows, calls, appended } of [...lives, { ...LAST_LIFE, appended: 1 }]) {
          await log.append(ticks(appended).map(entryOf));
          const dying = new FaultyObjectStore(objects, ({ index }, moment) => {
            if (index === calls && moment === 'after') throw new Killed();
          });
          const setup = { objects: dying, log, encoder, batchRows, committed: committed === 'own' ? own : committed };
          try {
            own = (await recordAll(setup)).committed;
          } catch (error) {
            if (!(error instanceof Error && (error instanceof Killed || error.cause instanceof Killed))) throw error;
          }
        }
        const { end } = await log.range(TICKS);
        expect(await audit(objects, TICKS)).toEqual(Array(Number(end)).fill('file'));
      }),
      { numRuns: 40 },
    );
  });
});
