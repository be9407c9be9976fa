import type { EventLog, LogRecord, OffsetRange, TopicPartition } from '@aipx/event-log';
import { MarketDataError } from '@aipx/market-model';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { recordHash } from '../record-hash.js';
import { ColdRecorder, type ColdRecorderOptions } from './cold-recorder.js';
import type { ColdBatch, ColdPartition, ColdSession, ColdStore, StoredBatch } from './cold-store.js';

const TICKS: TopicPartition = { topic: 'market.tick', partition: 0 };
const BOOKS: TopicPartition = { topic: 'market.orderbook', partition: 0 };
const NEVER = new AbortController().signal;

/** What a store was asked to write, to be answered when the test says so. */
interface Write {
  readonly partition: TopicPartition;
  readonly begin: bigint;
  readonly end: bigint;
  readonly rows: number;
  readonly lastHash: string | null;
  /** Moves the position. */
  readonly done: (stored?: Partial<StoredBatch>) => void;
  readonly fail: (error: unknown) => void;
}

class ManualStore implements ColdStore {
  readonly writes: Write[] = [];
  /** Answers every write at once. */
  readonly prompt: boolean;
  readonly opened: Partial<Pick<ColdPartition, 'finishedTo' | 'finished' | 'position'>>;
  #asked = Promise.withResolvers<undefined>();

  constructor({ prompt = true, opened = {} }: { prompt?: boolean; opened?: ManualStore['opened'] } = {}) {
    this.prompt = prompt;
    this.opened = opened;
  }

  async open(partition: TopicPartition, { signal }: ColdSession): Promise<ColdPartition> {
    const asked = (write: Write) => {
      this.writes.push(write);
      this.#asked.resolve(undefined);
      this.#asked = Promise.withResolvers();
    };
    const { prompt } = this;
    const { finishedTo = 0n, finished = [], position = finishedTo } = this.opened;
    let at = position;
    return {
      finishedTo,
      finished,
      get position() {
        return at;
      },
      async *write(batch: ColdBatch) {
        signal.throwIfAborted();
        const stored = Promise.withResolvers<StoredBatch>();
        signal.addEventListener('abort', () => stored.reject(signal.reason));
        const begin = at;
        const whole = {
          begin,
          end: batch.end,
          rows: batch.records.offsets.length,
          files: 1,
          bytes: 100,
          undecodable: [],
          missing: [],
        };
        const { end, rows } = whole;
        const write = { partition, begin, end, rows, lastHash: batch.lastHash, fail: stored.reject };
        asked({ ...write, done: (changes) => stored.resolve({ ...whole, ...changes }) });
        if (prompt) stored.resolve(whole);
        const result = await stored.promise;
        at = result.end;
        yield result;
      },
    };
  }

  /** The n-th write, from 0, as soon as it is asked for. */
  async write(index: number): Promise<Write> {
    for (;;) {
      const write = this.writes[index];
      if (write !== undefined) return write;
      await this.#asked.promise;
    }
  }
}

function records(partition: TopicPartition, from: number, count: number, bytes = 10): LogRecord[] {
  return Array.from({ length: count }, (_, index) => ({
    ...partition,
    key: 'KRW-BTC',
    value: new Uint8Array(bytes),
    headers: {},
    offset: BigInt(from + index),
    appendedAt: 0n,
  }));
}

const log = {} as EventLog; // only dead letters use it, and they have tests with a real one

async function recorderOn(
  store: ColdStore,
  options: Partial<ColdRecorderOptions> = {},
  partitions: readonly TopicPartition[] = [TICKS],
  range: OffsetRange = { begin: 0n, end: 0n },
): Promise<ColdRecorder> {
  const recorder = new ColdRecorder({ store, log, signal: NEVER, ...options });
  for (const partition of partitions) await recorder.onAssigned(partition, range);
  return recorder;
}

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

  it('is forgotten when its partition is revoked', async () => {
    const store = new ManualStore();
    const recorder = await recorderOn(store, { batchTimeoutMs: 1000 });
    await recorder.onRecords(TICKS, records(TICKS, 0, 1));
    await recorder.onRevoked(TICKS);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(store.writes).toEqual([]);
    expect(recorder.bufferedBytes).toBe(0);
  });
});

describe('memory', () => {
  it('is bounded: at the limit the largest batch is cut', async () => {
    const store = new ManualStore();
    const recorder = await recorderOn(store, { maxBufferBytes: 100 }, [TICKS, BOOKS]);
    await recorder.onRecords(TICKS, records(TICKS, 0, 3, 10));
    await recorder.onRecords(BOOKS, records(BOOKS, 0, 1, 60));
    expect(store.writes).toEqual([]);
    await recorder.onRecords(TICKS, records(TICKS, 3, 2, 10));
    expect(store.writes.map(({ partition }) => partition)).toEqual([BOOKS]);
    expect(recorder.bufferedBytes).toBe(50);
  });

  it('counts what is being stored, and nobody is served before there is room', async () => {
    const store = new ManualStore({ prompt: false });
    const recorder = await recorderOn(store, { maxBufferBytes: 100 }, [TICKS, BOOKS]);
    const books = recorder.onRecords(BOOKS, records(BOOKS, 0, 2, 60));
    const write = await store.write(0);
    expect(recorder.bufferedBytes).toBe(120);
    let taken = false;
    const taking = recorder.onRecords(TICKS, records(TICKS, 0, 1, 10)).then(() => (taken = true));
    await new Promise(setImmediate);
    expect(taken).toBe(false);
    write.done();
    await Promise.all([taking, books]);
    expect(recorder.bufferedBytes).toBe(10);
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
        return new ManualStore().open(TICKS, { signal: NEVER, onUndecodable: async () => undefined });
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

describe('the counts', () => {
  it('follow the positions of the batches', async () => {
    const store = new ManualStore({ prompt: false });
    const recorder = await recorderOn(store, {}, [TICKS], { begin: 0n, end: 4n });
    expect(recorder.counts).toMatchObject({ recovered: 4, rows: 0 });
    await recorder.onRecords(TICKS, records(TICKS, 0, 6));
    const flushed = recorder.flush(NEVER);
    const undecodable = [{ begin: 1n, end: 3n }];
    const missing = [{ begin: 3n, end: 5n }];
    (await store.write(0)).done({ rows: 2, files: 3, undecodable, missing });
    await flushed;
    // Of the two missing offsets one lay before the log's end at start: it was never there to be recovered.
    expect(recorder.counts).toEqual({
      recovered: 3,
      recoveredGap: 0,
      rows: 2,
      gap: 0,
      dlq: 2,
      gapDlq: 0,
      missing: 2,
      files: 3,
      bytes: 100,
    });
  });

  it('have the batches that were finished at the start, and count a partition’s backlog once', async () => {
    const batch = { begin: 2n, end: 5n, rows: 3, files: 1, bytes: 70, undecodable: [], missing: [] };
    const store = new ManualStore({ opened: { finishedTo: 2n, finished: [batch], position: 5n } });
    const recorder = await recorderOn(store, {}, [TICKS], { begin: 0n, end: 9n });
    expect(recorder.counts).toMatchObject({ recovered: 7, rows: 3, bytes: 70 });
    await recorder.onAssigned(TICKS, { begin: 0n, end: 12n });
    expect(recorder.counts).toMatchObject({ recovered: 7 });
  });
});
