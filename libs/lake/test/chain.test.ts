import { MarketDataError } from '@aipx/market-model';
import { entryOf, undecodable } from '@aipx/market-proto/testing';
import { describe, expect, it } from 'vitest';
import { readPlan } from '../src/protocol/plan.js';
import { audit } from './support/audit.js';
import { gap, ticks } from './support/events.js';
import { InThreadEncoder } from './support/in-thread-encoder.js';
import { MemoryLog } from './support/memory-log.js';
import { MemoryObjectStore } from './support/memory-object-store.js';
import { feed, newRecorder, recordAll, TICKS } from './support/record-all.js';

const encoder = new InThreadEncoder();
const PLAN_0 = 'market-data/_plan/market.tick-0-00000000000000000000.json';
const PLAN_5 = 'market-data/_plan/market.tick-0-00000000000000000005.json';
const ENTRY_5 = 'market-data/_manifest/market.tick-0-00000000000000000005.json';
const FILE_5 = 'market-data/tick/year=2024/month=05/day=01/hour=14/market.tick-0-00000000000000000005.parquet';

async function recorded(rows = 10, id = 'log-1') {
  const objects = new MemoryObjectStore();
  const log = new MemoryLog(id);
  await log.append(ticks(rows).map(entryOf));
  await recordAll({ objects, log, encoder });
  return { objects, log };
}

function text(objects: MemoryObjectStore, key: string): string {
  return new TextDecoder().decode(objects.objects.get(key));
}

describe('the chain of batches', () => {
  it('is a plan, files by hour of event time and an entry for each batch', async () => {
    const { objects } = await recorded();
    expect([...objects.objects.keys()].sort()).toEqual([
      'market-data/_manifest/market.tick-0-00000000000000000000.json',
      ENTRY_5,
      PLAN_0,
      PLAN_5,
      'market-data/tick/year=2024/month=05/day=01/hour=13/market.tick-0-00000000000000000000.parquet',
      'market-data/tick/year=2024/month=05/day=01/hour=14/market.tick-0-00000000000000000000.parquet',
      FILE_5,
    ]);
    const [first, second] = [PLAN_0, PLAN_5].map((key) => readPlan(key, objects.objects.get(key) ?? new Uint8Array()));
    expect(first).toMatchObject({ logId: 'log-1', begin: 0n, end: 5n, hashBefore: null, undecodable: [] });
    expect(first?.hours).toEqual([
      { hour: '2024-05-01T13', rows: 2, first: 0n, last: 1n },
      { hour: '2024-05-01T14', rows: 3, first: 2n, last: 4n },
    ]);
    expect(second?.hashBefore).toBe(first?.lastHash);
  });

  it('is the same bytes whenever and by whomever it is made', async () => {
    const [one, other] = [await recorded(), await recorded()];
    expect(other.objects.objects).toEqual(one.objects.objects);
  });

  it('begins at offset 0 whatever the log still holds', async () => {
    const objects = new MemoryObjectStore();
    const log = new MemoryLog();
    await log.append(ticks(10).map(entryOf));
    log.forget('market.tick', 6);
    const { counts } = await recordAll({ objects, log, encoder });
    expect(await audit(objects, TICKS)).toEqual([...Array(6).fill('missing'), ...Array(4).fill('file')]);
    expect(counts).toMatchObject({ rows: 4, missing: 6, recovered: 4 });
  });

  it('reaches the log’s end also when retention took all that is left', async () => {
    const { objects, log } = await recorded(8);
    await log.append(ticks(4).map(entryOf));
    log.forget('market.tick', 12);
    const { counts } = await recordAll({ objects, log, encoder });
    expect(counts).toMatchObject({ rows: 0, missing: 4, recovered: 0 });
    await log.append(ticks(2).map(entryOf));
    expect((await recordAll({ objects, log, encoder })).counts).toMatchObject({ rows: 2, recovered: 2 });
    expect(await audit(objects, TICKS)).toEqual([
      ...Array(8).fill('file'),
      ...Array(4).fill('missing'),
      'file',
      'file',
    ]);
  });

  it('lists undecodable records in the plan and keeps them out of the files', async () => {
    const objects = new MemoryObjectStore();
    const log = new MemoryLog();
    await log.append([
      undecodable('market.tick'),
      ...ticks(2).map(entryOf),
      undecodable('market.tick'),
      undecodable('market.tick'),
    ]);
    const { counts } = await recordAll({ objects, log, encoder, deadLetters: true });
    expect(await audit(objects, TICKS)).toEqual(['undecodable', 'file', 'file', 'undecodable', 'undecodable']);
    expect(counts).toMatchObject({ rows: 2, dlq: 3, recovered: 5, files: 1 });
    const letters = await log.read({ topic: 'market.dlq', partition: 0 }, 0n, { maxRecords: 10, maxBytes: 1024 });
    expect(letters.map(({ key, headers }) => [key, headers['reason'], headers['exchange']])).toEqual(
      [0, 3, 4].map((offset) => [`market.tick/0/${offset}`, 'VALIDATION_RECORD', 'upbit']),
    );
  });

  it('sends no dead letters while the hot sink does', async () => {
    const log = new MemoryLog();
    await log.append([undecodable('market.tick')]);
    const { counts } = await recordAll({ objects: new MemoryObjectStore(), log, encoder });
    expect(counts.dlq).toBe(1);
    expect((await log.range({ topic: 'market.dlq', partition: 0 })).end).toBe(0n);
  });

  it('counts gaps apart', async () => {
    const log = new MemoryLog();
    await log.append([entryOf(gap()), entryOf(gap({ from: 0n }))]);
    const { counts } = await recordAll(
      { objects: new MemoryObjectStore(), log, encoder },
      { topic: 'market.gap', partition: 0 },
    );
    expect(counts).toMatchObject({ recovered: 0, recoveredGap: 2, rows: 0, gap: 2, dlq: 0 });
  });

  it('counts as recovered only what lies behind the finished batches', async () => {
    const { objects, log } = await recorded(10);
    await log.append(ticks(3).map(entryOf));
    const { counts } = await recordAll({ objects, log, encoder });
    expect(counts).toMatchObject({ recovered: 3, rows: 3 });
  });

  it('is cut by event time where it would need more files than a batch may have', async () => {
    const objects = new MemoryObjectStore();
    const log = new MemoryLog();
    await log.append(ticks(600, 3600n).map(entryOf));
    const { counts } = await recordAll({ objects, log, encoder, batchRows: 1000 });
    expect(await audit(objects, TICKS)).toEqual(Array(600).fill('file'));
    expect(counts).toMatchObject({ rows: 600, files: 600 });
    expect([...objects.objects.keys()].filter((key) => key.includes('_plan')).sort()).toEqual(
      [0, 256, 512].map((begin) => `market-data/_plan/market.tick-0-${String(begin).padStart(20, '0')}.json`),
    );
    expect((await recordAll({ objects, log, encoder })).counts.recovered).toBe(0); // the hash of each cut holds
  });

  it('stores a stretch that was not handed over when the log still has it', async () => {
    const objects = new MemoryObjectStore();
    const log = new MemoryLog();
    await log.append(ticks(6).map(entryOf));
    const recorder = newRecorder({ objects, log, encoder, batchRows: 100 });
    await recorder.onAssigned(TICKS, await log.range(TICKS));
    await recorder.onRecords(TICKS, await log.read(TICKS, 4n, { maxRecords: 2, maxBytes: 1024 }));
    await recorder.flush(new AbortController().signal);
    expect(await audit(objects, TICKS)).toEqual(Array(6).fill('file'));
  });
});

describe('a lake of another log', () => {
  const wayOut = /another database and S3_PREFIX/;

  it('is refused when the log has another identity', async () => {
    const { objects } = await recorded();
    const { log } = await recorded(10, 'log-2');
    await expect(recordAll({ objects, log, encoder })).rejects.toThrow(wayOut);
    await expect(recordAll({ objects, log, encoder })).rejects.toMatchObject({ code: 'STORE_LOG_MISMATCH' });
  });

  it('is refused when it reaches beyond the log’s end', async () => {
    const { objects } = await recorded();
    const { log } = await recorded(9);
    await expect(recordAll({ objects, log, encoder })).rejects.toMatchObject({ code: 'STORE_LOG_MISMATCH' });
  });

  it('is refused when the record before the position is another one', async () => {
    const { objects } = await recorded();
    const log = new MemoryLog();
    await log.append(ticks(12, 2n).map(entryOf));
    await expect(recordAll({ objects, log, encoder })).rejects.toThrow(/the record at 4 is not the one/);
  });

  it('is accepted when the record before the position can no longer be read', async () => {
    const { objects, log } = await recorded();
    log.forget('market.tick', 10);
    await log.append(ticks(1).map(entryOf));
    expect((await recordAll({ objects, log, encoder })).counts).toMatchObject({ rows: 1, missing: 0 });
  });
});

describe('a damaged lake', () => {
  const damage: [string, string, (objects: MemoryObjectStore) => void][] = [
    [
      'a plan that is cut off',
      PLAN_5,
      (o) => o.objects.set(PLAN_5, o.objects.get(PLAN_5)?.slice(0, 40) ?? new Uint8Array()),
    ],
    ['a plan with a field of its own', PLAN_5, (o) => set(o, PLAN_5, text(o, PLAN_5).replace('{', '{"note":1,'))],
    [
      'a plan of another partition',
      PLAN_5,
      (o) => set(o, PLAN_5, text(o, PLAN_5).replace('"partition":0', '"partition":1')),
    ],
    [
      'a first plan that is missing',
      PLAN_0,
      (o) => o.objects.delete(PLAN_0) && o.objects.delete(PLAN_0.replace('_plan', '_manifest')),
    ],
    ['an entry without its plan', PLAN_5, (o) => o.objects.delete(PLAN_5)],
    [
      'a plan that does not end where the next begins',
      PLAN_0,
      (o) => set(o, PLAN_0, text(o, PLAN_0).replace('"end":"5"', '"end":"6"')),
    ],
    [
      'a file that is no Parquet, in an unfinished batch',
      FILE_5,
      (o) => o.objects.delete(ENTRY_5) && set(o, FILE_5, 'PAR1'),
    ],
    [
      'a file with other rows than planned',
      FILE_5,
      (o) =>
        o.objects.delete(ENTRY_5) &&
        o.objects.set(FILE_5, o.objects.get(FILE_5.replace('005.', '000.')) ?? new Uint8Array()),
    ],
  ];

  it.each(damage)('is refused for %s, naming the object', async (_, key, damaging) => {
    const { objects, log } = await recorded();
    damaging(objects);
    const failure = await recordAll({ objects, log, encoder }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(MarketDataError);
    expect(failure).toMatchObject({ code: 'STORE_DAMAGED', message: expect.stringContaining(key) });
  });

  it('is refused for an entry that does not describe its files', async () => {
    const { objects, log } = await recorded();
    const entry = text(objects, ENTRY_5)
      .replace(/"sha256":"[0-9a-f]/, '"sha256":"_')
      .replace('_', 'f');
    objects.objects.delete(ENTRY_5);
    const recorder = newRecorder({
      objects: Object.assign(objects, {
        // The wrong entry appears between the listing and the write.
        putIfAbsent: async (key: string, body: Uint8Array) => {
          if (key === ENTRY_5) set(objects, ENTRY_5, entry);
          return MemoryObjectStore.prototype.putIfAbsent.call(objects, key, body);
        },
      }),
      log,
      encoder,
    });
    await expect(feed(recorder, log, TICKS)).rejects.toMatchObject({
      code: 'STORE_DAMAGED',
      context: { key: ENTRY_5 },
    });
  });
});

function set(objects: MemoryObjectStore, key: string, content: string): void {
  objects.objects.set(key, new TextEncoder().encode(content));
}
