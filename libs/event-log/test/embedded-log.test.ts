import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AMPLE, BOOKS, entry, partitionOfKey, readWhole, textOf, TICKS, TOPICS } from '../src/contract/entries.js';
import { nameOf, RecordingHandler } from '../src/contract/recording-handler.js';
import { EmbeddedEventLog, MAX_APPEND_BYTES, MAX_APPEND_ENTRIES } from '../src/embedded/embedded-event-log.js';
import { tempFolder } from './temp-log.js';

const HOT = { group: 'hot', topics: [TICKS, BOOKS], limits: AMPLE };

describe('EmbeddedEventLog', () => {
  let folder: ReturnType<typeof tempFolder>;
  let log: EmbeddedEventLog;
  let stop: AbortController;

  beforeEach(async () => {
    folder = tempFolder();
    stop = new AbortController();
    log = await EmbeddedEventLog.open({
      path: join(folder.path, 'events.db'),
      topics: TOPICS,
      now: () => 1_700_000_000_123,
    });
  });

  afterEach(async () => {
    stop.abort();
    await log.close();
    folder.remove();
  });

  it('lists the topics of its file, also those it was not asked for', async () => {
    await log.close();
    log = await EmbeddedEventLog.open({ path: join(folder.path, 'events.db'), topics: { 'market.gap': 2 } });
    expect([...log.topics].sort()).toEqual(['market.gap', BOOKS, TICKS]);
  });

  it('has a UUID for its id, another one for each file', async () => {
    const other = await EmbeddedEventLog.open({ path: join(folder.path, 'other.db'), topics: TOPICS });
    expect(log.id).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    expect(other.id).not.toBe(log.id);
    await other.close();
  });

  it('stamps the entries of an append with one time of its clock', async () => {
    await log.append([entry('KRW-BTC', 'one'), entry('KRW-ETH', 'two')]);
    expect((await readWhole(log)).map((record) => record.appendedAt)).toEqual(
      Array(2).fill(1_700_000_000_123_000_000n),
    );
  });

  it('refuses an append that would hold the event loop for long, and writes nothing of it', async () => {
    const many = Array<ReturnType<typeof entry>>(MAX_APPEND_ENTRIES + 1).fill(entry('KRW-BTC', 'x'));
    const large = [entry('KRW-BTC', 'x'), { ...entry('KRW-BTC', ''), value: new Uint8Array(MAX_APPEND_BYTES) }];
    for (const entries of [many, large]) {
      await expect(log.append(entries)).rejects.toMatchObject({ code: 'PUBLISH_TOO_LARGE' });
    }
    expect(await readWhole(log)).toEqual([]);
    await log.append(many.slice(1));
    expect((await readWhole(log)).length).toBe(MAX_APPEND_ENTRIES);
  });

  it('refuses progress that goes back, together with its entries', async () => {
    await log.append([], { progress: { source: 'file', frames: 10 } });
    await expect(log.append([entry('A', 'x')], { progress: { source: 'file', frames: 9 } })).rejects.toMatchObject({
      code: 'STORE_POSITION_MOVED',
    });
    await expect(log.append([], { progress: { source: 'file', frames: 10.5 } })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
    });
    await log.append([entry('A', 'y')], { progress: { source: 'file', frames: 10 } });
    expect((await readWhole(log)).map(textOf)).toEqual(['y']);
    expect(await log.progressOf('file')).toBe(10);
  });

  it('says what is wrong when an entry is no entry, and undoes the append', async () => {
    const broken = { ...entry('A', 'x'), value: { byteLength: 4 } as Uint8Array };
    await expect(log.append([entry('A', 'x'), broken])).rejects.toMatchObject({ code: 'STORE_REFUSED' });
    await log.append([entry('A', 'y')]);
    expect((await readWhole(log)).map((record) => [record.offset, textOf(record)])).toEqual([[0n, 'y']]);
  });

  it('leaves no hole when an append cannot be undone at once', async () => {
    const disk = vi.spyOn(DatabaseSync.prototype, 'exec').mockImplementationOnce(() => {
      throw new Error('disk I/O error');
    });
    try {
      await expect(log.append([entry('A', 'x'), entry('A', 'x', 'no.such')])).rejects.toMatchObject({
        code: 'PUBLISH_FAILED',
      });
      expect(disk).toHaveBeenCalledWith('ROLLBACK');
    } finally {
      disk.mockRestore();
    }
    await log.append([entry('A', 'y')]);
    expect((await readWhole(log)).map((record) => [record.offset, textOf(record)])).toEqual([[0n, 'y']]);
  });

  it('keeps its header sets right when the append that brought one is undone', async () => {
    const fresh = { ...entry('A', 'x'), headers: { reason: 'never seen' } };
    await expect(log.append([fresh, entry('A', 'x', 'no.such')])).rejects.toMatchObject({ code: 'PUBLISH_FAILED' });
    await log.append([{ ...fresh, headers: { reason: 'another' } }, fresh]);
    expect((await readWhole(log)).map((record) => record.headers)).toEqual([
      { reason: 'another' },
      { reason: 'never seen' },
    ]);
  });

  it('takes frozen headers for what they are, and others for what they are at that moment', async () => {
    const frozen = Object.freeze({ exchange: 'upbit' });
    const changing: Record<string, string> = { exchange: 'bithumb' };
    for (const exchange of ['one', 'two']) {
      changing['exchange'] = exchange;
      await log.append([
        { ...entry('A', 'x'), headers: frozen },
        { ...entry('A', 'x'), headers: changing },
      ]);
    }
    const exchanges = (await readWhole(log)).map((record) => record.headers['exchange']);
    expect(exchanges).toEqual(['upbit', 'one', 'upbit', 'two']);
  });

  it('takes more sets of headers than it remembers', async () => {
    for (let from = 0; from < 3_000; from += 1_000) {
      await log.append(
        Array.from({ length: 1_000 }, (_, n) => ({ ...entry('A', 'x'), headers: { message: `${from + n}` } })),
      );
    }
    const records = await readWhole(log);
    expect(records.map((record) => record.headers['message'])).toEqual(Array.from({ length: 3_000 }, (_, n) => `${n}`));
  });

  it('reads few large records at a time, whatever the limit of records', async () => {
    const large = { ...entry('A', ''), value: new Uint8Array(100_000) };
    await log.append([
      ...Array<typeof large>(300).fill({ ...large, value: new Uint8Array(10) }),
      ...Array<typeof large>(50).fill(large),
    ]);
    const partition = await partitionOfKey(log, 'A');
    const records = await log.read(partition, 0n, { maxRecords: 10_000, maxBytes: 500_000 });
    expect(records.length).toBe(304);
  });

  it('refuses the second consumer of a group while the first consumes', async () => {
    const consuming = log.consume(HOT, new RecordingHandler(), stop.signal);
    await expect(log.consume(HOT, new RecordingHandler(), stop.signal)).rejects.toThrow(/group hot already consumes/);
    stop.abort();
    await consuming;
    await log.consume(HOT, new RecordingHandler(), AbortSignal.abort());
  });

  it('is fair: a partition with little to read need not wait for one with much', async () => {
    await log.append(Array.from({ length: 10_000 }, (_, n) => entry('KRW-BTC', `${n}`)));
    await log.append([entry('KRW-ETH', 'small', BOOKS)]);
    const handler = new RecordingHandler();
    const consuming = log.consume({ ...HOT, limits: { maxRecords: 100, maxBytes: 1_000_000 } }, handler, stop.signal);
    await handler.until(() => handler.records.some((record) => record.topic === BOOKS));
    expect(handler.records.length).toBeLessThan(1_000);
    stop.abort();
    await consuming;
  });

  it('lets the event loop turn between two batches, even if the handler never waits', async () => {
    await log.append(Array.from({ length: 1_000 }, (_, n) => entry('KRW-BTC', `${n}`)));
    const handler = new RecordingHandler();
    let turns = 0;
    const seen: number[] = [];
    handler.onBatch = () => {
      seen.push(turns);
      setImmediate(() => (turns += 1));
    };
    const consuming = log.consume({ ...HOT, limits: { maxRecords: 100, maxBytes: 1_000_000 } }, handler, stop.signal);
    await handler.until(() => handler.records.length === 1_000);
    expect(new Set(seen).size).toBe(10);
    stop.abort();
    await consuming;
  });

  it('hands over nothing once the signal has aborted, not even what was about to be read', async () => {
    const handler = new RecordingHandler();
    const consuming = log.consume(HOT, handler, stop.signal);
    await idle(handler);
    await log.append([entry('KRW-BTC', 'one')]); // wakes the partition, which asks for its turn
    stop.abort();
    await consuming;
    expect(handler.records).toEqual([]);
  });

  it('waits for the next record without a timer', async () => {
    const handler = new RecordingHandler();
    const consuming = log.consume(HOT, handler, stop.signal);
    await idle(handler);
    // Nothing but an append may wake it: with the loop idle, no immediate and no timer of ours is alive.
    const alive = process.getActiveResourcesInfo().filter((kind) => kind === 'Immediate');
    expect(alive).toEqual([]);
    await log.append([entry('KRW-BTC', 'one')]);
    await handler.until(() => handler.records.length === 1);
    stop.abort();
    await consuming;
  });

  it('rejects what consumes when it is closed, after revoking, and everything afterwards', async () => {
    const handler = new RecordingHandler();
    const consuming = log.consume(HOT, handler, stop.signal);
    await handler.until(() => handler.assigned.length === 7);
    const closing = log.close();
    await expect(consuming).rejects.toThrow(/closed while group hot/);
    await closing;
    expect(handler.revoked.map(nameOf)).toEqual(handler.assigned.map(nameOf));
    await expect(log.append([entry('A', 'x')])).rejects.toThrow(/is closed/);
    await expect(log.read({ topic: TICKS, partition: 0 }, 0n, AMPLE)).rejects.toThrow(/is closed/);
    await expect(log.progressOf('file')).rejects.toThrow(/is closed/);
    await expect(log.consume(HOT, handler, stop.signal)).rejects.toThrow(/is closed/);
    await log.close();
  });

  it('says that its end is lost when it is known to reach further than it does', async () => {
    await log.append([entry('A', 'x')]);
    const partition = log.partitionFor(TICKS, 'A');
    expect(await log.read(partition, 1n, AMPLE, { until: 1n })).toEqual([]);
    await expect(log.read(partition, 1n, AMPLE, { until: 2n })).rejects.toMatchObject({
      code: 'STORE_DAMAGED',
      message: expect.stringContaining('ends at 1, but it is known to reach to 2') as string,
    });
  });

  it.each([
    { maxRecords: 0, maxBytes: 1 },
    { maxRecords: 1, maxBytes: 0 },
    { maxRecords: Number.NaN, maxBytes: 1 },
  ])('refuses the limits $maxRecords and $maxBytes', async (limits) => {
    await expect(log.read({ topic: TICKS, partition: 0 }, 0n, limits)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
    });
    await expect(log.consume({ ...HOT, limits }, new RecordingHandler(), stop.signal)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
    });
  });
});

/** Until every partition of an empty log waits for its first record. */
async function idle(handler: RecordingHandler): Promise<void> {
  await handler.until(() => handler.assigned.length === 7);
  // Each partition has one turn, and a turn is one round of the event loop.
  for (let n = 0; n < 50; n += 1) await new Promise((resolve) => setImmediate(resolve));
}
