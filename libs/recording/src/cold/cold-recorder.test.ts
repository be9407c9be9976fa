import { MarketDataError } from '@aipx/market-model';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  BOOKS,
  log,
  ManualStore,
  NEVER,
  recorderOn,
  records,
  sessionOf,
  TICKS,
} from '../../test/support/manual-cold-store.js';
import { recordHash } from '../record-hash.js';
import { ColdRecorder } from './cold-recorder.js';
import type { ColdStore } from './cold-store.js';

const cuts = (store: ManualStore) => store.writes.map(({ begin, end, rows }) => [Number(begin), Number(end), rows]);

describe('ColdRecorder', () => {
  it('begins where the store stands, or at the log’s begin when that is further', async () => {
    const recorder = new ColdRecorder({ store: new ManualStore({ opened: { finishedTo: 7n } }), log, signal: NEVER });
    expect(await recorder.onAssigned(TICKS, { begin: 0n, end: 20n })).toBe(7n);
    expect(await recorder.onAssigned(TICKS, { begin: 12n, end: 20n })).toBe(12n);
    expect(recorder.storedTo(TICKS)).toBe(7n);
    expect(recorder.storedTo(BOOKS)).toBeUndefined();
  });

  it('refuses a topic that carries no market events', async () => {
    const recorder = new ColdRecorder({ store: new ManualStore(), log, signal: NEVER });
    await expect(
      recorder.onAssigned({ topic: 'market.dlq', partition: 0 }, { begin: 0n, end: 0n }),
    ).rejects.toMatchObject({
      code: 'VALIDATION_RECORD',
    });
  });

  it('refuses batches that a pack cannot count', () => {
    const options = { store: new ManualStore(), log, signal: NEVER, batchBytes: 2 ** 31 + 1 };
    expect(() => new ColdRecorder(options)).toThrow('batchBytes is 2147483649; expected a whole number');
  });

  it.each(['batchRows', 'batchBytes', 'batchTimeoutMs', 'maxBufferBytes'])('refuses %s of 0', (name) => {
    expect(() => new ColdRecorder({ store: new ManualStore(), log, signal: NEVER, [name]: 0 })).toThrow(name);
  });
});

describe('a batch', () => {
  it('is cut at its number of rows', async () => {
    const store = new ManualStore();
    const recorder = await recorderOn(store, { batchRows: 4 });
    await recorder.onRecords(TICKS, records(TICKS, 0, 10));
    await recorder.flush(NEVER);
    expect(cuts(store)).toEqual([
      [0, 4, 4],
      [4, 8, 4],
      [8, 10, 2],
    ]);
    expect(store.writes[0]?.lastHash).toBe(recordHash(records(TICKS, 3, 1)[0] ?? expect.fail()));
  });

  it('is cut at its number of bytes', async () => {
    const store = new ManualStore();
    const recorder = await recorderOn(store, { batchBytes: 25 });
    await recorder.onRecords(TICKS, records(TICKS, 0, 4, 10));
    await recorder.onRecords(TICKS, records(TICKS, 4, 1, 1000));
    await recorder.flush(NEVER);
    expect(cuts(store)).toEqual([
      [0, 3, 3],
      [3, 5, 2],
    ]);
  });

  it('is not made of nothing', async () => {
    const store = new ManualStore();
    const recorder = await recorderOn(store);
    await recorder.flush(NEVER);
    expect(store.writes).toEqual([]);
  });

  it('closes a stretch of which retention took every record, and only that', async () => {
    const store = new ManualStore({ opened: { finishedTo: 7n } });
    const recorder = await recorderOn(store, {}, [TICKS], { begin: 12n, end: 12n });
    await recorder.flush(NEVER);
    expect(recorder.storedTo(TICKS)).toBe(12n);
    await recorder.flush(NEVER);
    await recorder.onRecords(TICKS, records(TICKS, 12, 1));
    await recorder.flush(NEVER);
    expect(cuts(store)).toEqual([
      [7, 12, 0],
      [12, 13, 1],
    ]);
    expect(store.writes[0]?.lastHash).toBeNull();
  });

  it('leaves out records before the position, which another owner stored', async () => {
    const store = new ManualStore({ prompt: false });
    const recorder = await recorderOn(store, { batchRows: 2 });
    await recorder.onRecords(TICKS, records(TICKS, 0, 2));
    (await store.write(0)).done({ end: 5n });
    await recorder.flush(NEVER);
    await recorder.onRecords(TICKS, records(TICKS, 2, 5));
    (await store.write(1)).done();
    await recorder.flush(NEVER);
    expect(cuts(store)).toEqual([
      [0, 2, 2],
      [5, 7, 2],
    ]);
  });

  it('fills while the one before is stored, and takes no more when both are full', async () => {
    const store = new ManualStore({ prompt: false });
    const recorder = await recorderOn(store, { batchRows: 2 });
    await recorder.onRecords(TICKS, records(TICKS, 0, 4));
    let taken = false;
    const third = recorder.onRecords(TICKS, records(TICKS, 4, 1)).then(() => (taken = true));
    await new Promise(setImmediate);
    expect(cuts(store)).toEqual([[0, 2, 2]]);
    expect(taken).toBe(false);
    store.writes[0]?.done();
    await third;
    expect(cuts(store)).toEqual([
      [0, 2, 2],
      [2, 4, 2],
    ]);
    expect(recorder.storedTo(TICKS)).toBe(2n);
  });
});

describe('a batch that waits', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
  afterEach(() => void vi.useRealTimers());

  it('is cut once its first record has waited long enough', async () => {
    const store = new ManualStore();
    const recorder = await recorderOn(store, { batchTimeoutMs: 1000 });
    await recorder.onRecords(TICKS, records(TICKS, 0, 1));
    await vi.advanceTimersByTimeAsync(900);
    await recorder.onRecords(TICKS, records(TICKS, 1, 1));
    await vi.advanceTimersByTimeAsync(99);
    expect(store.writes).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(cuts(store)).toEqual([[0, 2, 2]]);
    await recorder.onRecords(TICKS, records(TICKS, 2, 1));
    await vi.advanceTimersByTimeAsync(1000);
    expect(cuts(store)).toEqual([
      [0, 2, 2],
      [2, 3, 1],
    ]);
  });

  it('is cut in time again after another owner has stored what filled', async () => {
    const store = new ManualStore({ prompt: false });
    const recorder = await recorderOn(store, { batchRows: 2, batchTimeoutMs: 1000 });
    await recorder.onRecords(TICKS, records(TICKS, 0, 3));
    (await store.write(0)).done({ end: 5n });
    await vi.advanceTimersByTimeAsync(1000);
    expect(recorder.status.bufferedRecords).toBe(0);
    await recorder.onRecords(TICKS, records(TICKS, 5, 1));
    await vi.advanceTimersByTimeAsync(1000);
    expect(cuts(store)).toEqual([
      [0, 2, 2],
      [5, 6, 1],
    ]);
  });

  it('is forgotten when its partition is revoked', async () => {
    const store = new ManualStore();
    const recorder = await recorderOn(store, { batchTimeoutMs: 1000 });
    await recorder.onRecords(TICKS, records(TICKS, 0, 1));
    await recorder.onRevoked(TICKS);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(store.writes).toEqual([]);
    expect(recorder.status.bufferedBytes).toBe(0);
  });
});

describe('memory', () => {
  it('is bounded: at the limit the largest batch is cut', async () => {
    const store = new ManualStore();
    // Each record takes 12 bytes beside its value.
    const recorder = await recorderOn(store, { maxBufferBytes: 200 }, [TICKS, BOOKS]);
    await recorder.onRecords(TICKS, records(TICKS, 0, 3, 10));
    await recorder.onRecords(BOOKS, records(BOOKS, 0, 1, 110));
    expect(store.writes).toEqual([]);
    await recorder.onRecords(TICKS, records(TICKS, 3, 2, 10));
    expect(store.writes.map(({ partition }) => partition)).toEqual([BOOKS]);
    expect(recorder.status.bufferedBytes).toBe(110);
  });

  it('counts what is being stored, and nobody is served before there is room', async () => {
    const store = new ManualStore({ prompt: false });
    const recorder = await recorderOn(store, { maxBufferBytes: 100 }, [TICKS, BOOKS]);
    const books = recorder.onRecords(BOOKS, records(BOOKS, 0, 2, 60));
    const write = await store.write(0);
    expect(recorder.status.bufferedBytes).toBe(144);
    let taken = false;
    const taking = recorder.onRecords(TICKS, records(TICKS, 0, 1, 10)).then(() => (taken = true));
    await new Promise(setImmediate);
    expect(taken).toBe(false);
    write.done();
    await Promise.all([taking, books]);
    expect(recorder.status.bufferedBytes).toBe(22);
    expect(store.writes).toHaveLength(1);
  });
});

describe('memory that another owner’s batch has made stale', () => {
  it('is let go of at the limit', async () => {
    const store = new ManualStore({ prompt: false });
    const recorder = await recorderOn(store, { batchRows: 2, maxBufferBytes: 130 }, [TICKS, BOOKS]);
    await recorder.onRecords(TICKS, records(TICKS, 0, 2, 10));
    await recorder.onRecords(TICKS, records(TICKS, 2, 1, 70));
    (await store.write(0)).done({ end: 5n });
    await new Promise(setImmediate);
    await recorder.onRecords(BOOKS, records(BOOKS, 0, 1, 60));
    expect(recorder.status.bufferedBytes).toBe(72);
    expect(store.writes).toHaveLength(1);
  });
});

describe('a revoked partition', () => {
  it('is not written any more, and what was begun ends before onRevoked resolves', async () => {
    const store = new ManualStore({ prompt: false });
    const recorder = await recorderOn(store, { batchRows: 2 });
    await recorder.onRecords(TICKS, records(TICKS, 0, 3));
    await store.write(0);
    await recorder.onRevoked(TICKS);
    expect(store.writes).toHaveLength(1);
    expect(recorder.storedTo(TICKS)).toBeUndefined();
    expect(recorder.failure.aborted).toBe(false);
    await recorder.flush(NEVER);
  });

  it('is not taken up when it is revoked while it is opened, and onRevoked waits for that to end', async () => {
    const closed = Promise.withResolvers<undefined>();
    const outage: ColdStore = {
      open: async (_, { signal }) => {
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        await closed.promise;
        return new ManualStore().open(TICKS, sessionOf(NEVER));
      },
    };
    const recorder = new ColdRecorder({ store: outage, log, signal: NEVER });
    const assigned = recorder.onAssigned(TICKS, { begin: 0n, end: 4n });
    await new Promise(setImmediate);
    let ended = false;
    const revoked = recorder.onRevoked(TICKS).then(() => (ended = true));
    await new Promise(setImmediate);
    expect(ended).toBe(false);
    closed.resolve(undefined);
    await expect(assigned).rejects.toMatchObject({ code: 'STORE_POSITION_MOVED' });
    await revoked;
    expect(recorder.storedTo(TICKS)).toBeUndefined();
  });

  it('leaves the others alone', async () => {
    const store = new ManualStore();
    const recorder = await recorderOn(store, {}, [TICKS, BOOKS]);
    await recorder.onRecords(BOOKS, records(BOOKS, 0, 3));
    await recorder.onRevoked(TICKS);
    await recorder.flush(NEVER);
    expect(recorder.storedTo(BOOKS)).toBe(3n);
  });
});

describe('a failure that waiting cannot mend', () => {
  const damaged = new MarketDataError('STORE_DAMAGED', 'the plan is cut off');

  it('is reported by the signal at once, and by every call until all is revoked', async () => {
    const store = new ManualStore({ prompt: false });
    const recorder = await recorderOn(store, { batchRows: 2 }, [TICKS, BOOKS]);
    const { failure } = recorder;
    const failed = new Promise((resolve) => failure.addEventListener('abort', resolve));
    await recorder.onRecords(TICKS, records(TICKS, 0, 2));
    (await store.write(0)).fail(damaged);
    await failed;
    expect(failure.reason).toBe(damaged);
    await expect(recorder.onRecords(BOOKS, records(BOOKS, 0, 1))).rejects.toBe(damaged);
    await expect(recorder.flush(NEVER)).rejects.toBe(damaged);
    await recorder.onRevoked(TICKS);
    await expect(recorder.flush(NEVER)).rejects.toBe(damaged);
    await recorder.onRevoked(BOOKS);
    expect(recorder.failure.aborted).toBe(false);
    await recorder.onAssigned(TICKS, { begin: 0n, end: 2n });
  });

  it('never lets a later batch of the partition be written', async () => {
    const store = new ManualStore({ prompt: false });
    const recorder = await recorderOn(store, { batchRows: 2 });
    await recorder.onRecords(TICKS, records(TICKS, 0, 4));
    const waiting = recorder.onRecords(TICKS, records(TICKS, 4, 1));
    (await store.write(0)).fail(damaged);
    await expect(waiting).rejects.toBe(damaged);
    expect(store.writes).toHaveLength(1);
  });
});

describe('a flush', () => {
  it('resolves when everything handed over before is durable', async () => {
    const store = new ManualStore({ prompt: false });
    const recorder = await recorderOn(store, { batchRows: 2 });
    await recorder.onRecords(TICKS, records(TICKS, 0, 3));
    let flushed = false;
    const flush = recorder.flush(NEVER).then(() => (flushed = true));
    (await store.write(0)).done();
    const last = await store.write(1);
    expect(flushed).toBe(false);
    last.done();
    await flush;
    expect(recorder.storedTo(TICKS)).toBe(3n);
  });

  it('fails with what failed, also when all was revoked meanwhile', async () => {
    const damaged = new MarketDataError('STORE_DAMAGED', 'the plan is cut off');
    const store = new ManualStore({ prompt: false });
    const recorder = await recorderOn(store);
    await recorder.onRecords(TICKS, records(TICKS, 0, 2));
    const flush = recorder.flush(NEVER);
    recorder.failure.addEventListener('abort', () => void recorder.onRevoked(TICKS));
    (await store.write(0)).fail(damaged);
    await expect(flush).rejects.toBe(damaged);
  });

  it('ends with its signal, and does not begin with an aborted one', async () => {
    const store = new ManualStore({ prompt: false });
    const recorder = await recorderOn(store);
    await recorder.onRecords(TICKS, records(TICKS, 0, 3));
    await expect(recorder.flush(AbortSignal.abort(new Error('too late')))).rejects.toThrow('too late');
    expect(store.writes).toEqual([]);
    const stop = new AbortController();
    const flush = recorder.flush(stop.signal);
    await store.write(0);
    stop.abort(new Error('stopped'));
    await expect(flush).rejects.toThrow('stopped');
    await recorder.onRevoked(TICKS);
  });
});
