import type { EventLog, LogRecord } from '@aipx/event-log';
import { MarketDataError } from '@aipx/market-model';
import { describe, expect, it, onTestFinished } from 'vitest';
import { heldBytes } from './held-bytes.js';
import { HotRecorder, type HotRecorderOptions } from './hot-recorder.js';
import type { HotCommit, HotStore } from './hot-store.js';

const PARTITION = { topic: 'market.gap', partition: 0 };
const RANGE = { begin: 0n, end: 1n };
const RECORD: LogRecord = { ...PARTITION, offset: 0n, key: '', value: Buffer.from('?'), headers: {}, appendedAt: 0n };
const STORED: HotCommit = { doubt: undefined, tick: 0, orderbook: 0, gap: 0, duplicates: 0, refused: [] };
const MOVED = new MarketDataError('STORE_POSITION_MOVED', 'another writer was here', { retryable: true });

describe('a hot recorder', () => {
  it('does not suffer from a commit that fails after everything was revoked', async () => {
    const committing = Promise.withResolvers<undefined>();
    const answer = Promise.withResolvers<HotCommit>();
    const recorder = setUp(() => {
      committing.resolve(undefined);
      return answer.promise;
    });
    await recorder.onAssigned(PARTITION, RANGE);
    await recorder.onRecords(PARTITION, [RECORD]);
    await committing.promise;
    const revoked = recorder.onRevoked(PARTITION);
    answer.reject(MOVED);
    await revoked;
    await new Promise(setImmediate);
    expect(recorder.failure.aborted).toBe(false);
    expect(await recorder.onAssigned(PARTITION, RANGE)).toBe(0n);
  });

  it('begins anew when the last assignment failed for what had failed before', async () => {
    const answers = [Promise.reject(MOVED), Promise.resolve(STORED)];
    const recorder = setUp(() => answers.shift() ?? Promise.resolve(STORED));
    const failed = new Promise((resolve) => {
      recorder.failure.addEventListener('abort', resolve);
    });
    await recorder.onAssigned(PARTITION, RANGE);
    await recorder.onRecords(PARTITION, [RECORD]);
    await failed;
    const other = { ...PARTITION, partition: 1 };
    await expect(recorder.onAssigned(other, RANGE)).rejects.toBe(MOVED);
    await recorder.onRevoked(PARTITION);
    await recorder.onRevoked(other);
    await recorder.onAssigned(PARTITION, RANGE);
    await recorder.onRecords(PARTITION, [RECORD]);
    await recorder.flush(AbortSignal.timeout(10_000));
    expect(recorder.storedTo(PARTITION)).toBe(1n);
  });

  it('does not take its log for another one when the owner before stored more since the range was asked for', async () => {
    const recorder = setUp(() => Promise.resolve(STORED), {}, { position: 5n, end: 7n });
    expect(await recorder.onAssigned(PARTITION, { begin: 0n, end: 3n })).toBe(5n);
    const behind = setUp(() => Promise.resolve(STORED), {}, { position: 8n, end: 7n });
    await expect(behind.onAssigned(PARTITION, { begin: 0n, end: 3n })).rejects.toMatchObject({
      code: 'STORE_LOG_MISMATCH',
      message: expect.stringContaining("the position 8 is behind the log's end 7") as string,
    });
  });

  it('does not wait for records that retention takes while the store is away', async () => {
    const gone = new MarketDataError('STORE_REFUSED', 'nothing to read there any more', { retryable: true });
    const read = () => Promise.reject(gone);
    const known = setUp(() => Promise.resolve(STORED), {}, { position: 5n, end: 9n, lastHash: 'f'.repeat(64), read });
    expect(await known.onAssigned(PARTITION, { begin: 0n, end: 9n })).toBe(5n);
    const behind = setUp(() => Promise.resolve(STORED), {}, { position: 5n, end: 9n, read });
    expect(await behind.onAssigned(PARTITION, { begin: 7n, end: 9n })).toBe(7n);
  });

  it('says what waits, since when, and how often there was no room', async () => {
    const answer = Promise.withResolvers<HotCommit>();
    const recorder = setUp(() => answer.promise, { maxBufferedRecords: 1 });
    const nothing = { bufferedRecords: 0, bufferedBytes: 0, waitingSince: undefined, fault: undefined, pauses: 0 };
    await recorder.onAssigned(PARTITION, RANGE);
    expect(recorder.status).toEqual(nothing);
    await recorder.onRecords(PARTITION, [{ ...RECORD, appendedAt: 7n }]);
    expect(recorder.status).toEqual({
      ...nothing,
      bufferedRecords: 1,
      bufferedBytes: heldBytes(RECORD),
      waitingSince: 7n,
    });
    const waiting = recorder.onRecords(PARTITION, [{ ...RECORD, offset: 1n }]);
    expect(recorder.status.pauses).toBe(1);
    expect(recorder.position(PARTITION)).toEqual({ offset: 0n, metadata: '' });
    answer.resolve(STORED);
    await waiting;
    await recorder.flush(AbortSignal.timeout(10_000));
    expect(recorder.status).toMatchObject({ ...nothing, pauses: 1 });
    expect(recorder.position(PARTITION)).toEqual({ offset: 2n, metadata: '' });
  });

  it('has no room when keys and what each record takes beside its value reach the bytes that may wait', async () => {
    const recorder = setUp(() => new Promise(() => undefined), { maxBufferedBytes: 1_000 });
    await recorder.onAssigned(PARTITION, RANGE);
    await recorder.onRecords(PARTITION, [{ ...RECORD, key: 'K'.repeat(600) }]);
    expect(recorder.status.bufferedBytes).toBeGreaterThan(1_000);
    const handBack = new AbortController();
    const waiting = recorder.onRecords(PARTITION, [{ ...RECORD, offset: 1n }], handBack.signal);
    expect(recorder.status.pauses).toBe(1);
    handBack.abort(new Error('no more room'));
    await expect(waiting).rejects.toThrow('no more room');
  });

  it('ends the wait for room with the signal of the call, and takes none of its records', async () => {
    const recorder = setUp(() => new Promise(() => undefined), { maxBufferedRecords: 1 });
    await recorder.onAssigned(PARTITION, RANGE);
    await recorder.onRecords(PARTITION, [RECORD]);
    const handBack = new AbortController();
    const waiting = recorder.onRecords(PARTITION, [{ ...RECORD, offset: 1n }], handBack.signal);
    handBack.abort(new Error('the group rebalances'));
    await expect(waiting).rejects.toThrow('the group rebalances');
    expect(recorder.status).toMatchObject({ bufferedRecords: 1, pauses: 1 });
    expect(recorder.failure.aborted).toBe(false);
  });

  it.each(['openPosition', 'read'] as const)(
    'ends an assignment that waits for %s with the signal of the call, and has nothing then',
    async (call) => {
      const isAsked = Promise.withResolvers<undefined>();
      const away = (signal: AbortSignal | undefined) => {
        isAsked.resolve(undefined);
        return new Promise<never>((_, reject) => {
          signal?.addEventListener('abort', () => reject(new Error('the connection was cut')));
        });
      };
      const recorder = setUp(
        () => Promise.resolve(STORED),
        {},
        {
          position: 5n,
          end: 9n,
          lastHash: 'f'.repeat(64),
          ...(call === 'read'
            ? { read: (_, __, ___, options) => away(options?.signal) }
            : { openPosition: (_, __, ___, signal) => away(signal) }),
        },
      );
      const handBack = new AbortController();
      const assigning = recorder.onAssigned(PARTITION, { begin: 0n, end: 9n }, undefined, handBack.signal);
      await isAsked.promise;
      handBack.abort(new Error('the group rebalances'));
      await expect(assigning).rejects.toThrow('the group rebalances');
      expect(recorder.storedTo(PARTITION)).toBeUndefined();
      expect(recorder.failure.aborted).toBe(false);
    },
  );

  it('stores as many batches side by side as it has writers, never two of one partition', async () => {
    const commits: number[][] = [];
    const answers: PromiseWithResolvers<HotCommit>[] = [];
    const recorder = setUp(({ moves }) => {
      commits.push(moves.map(({ partition }) => partition));
      const answer = Promise.withResolvers<HotCommit>();
      answers.push(answer);
      return answer.promise;
    });
    for (const partition of [0, 1, 2]) await recorder.onAssigned({ ...PARTITION, partition }, RANGE);
    for (const offset of [0n, 1n]) {
      for (const partition of [0, 1, 2]) {
        await recorder.onRecords({ ...PARTITION, partition }, [{ ...RECORD, partition, offset }]);
      }
    }
    expect(commits).toEqual([[0], [1]]);
    answers[0]?.resolve(STORED);
    await new Promise(setImmediate);
    expect(commits.slice(0, 2)).toEqual([[0], [1]]);
    expect(commits[2]).not.toContain(1);
  });

  it.each([2 ** 31, -1, Number.NaN])('refuses a wait of %d ms, which no timer can keep', (batchTimeoutMs) => {
    expect(() => setUp(() => Promise.resolve(STORED), { batchTimeoutMs })).toThrow(
      `batchTimeoutMs is ${batchTimeoutMs}`,
    );
  });
});

/** A recorder that writes each record at once, into a store whose commits end as they are told. */
function setUp(
  commit: HotStore['commit'],
  options: Partial<Pick<HotRecorderOptions, 'batchTimeoutMs' | 'maxBufferedRecords' | 'maxBufferedBytes'>> = {},
  {
    position = 0n,
    end = 1n,
    lastHash,
    read = async () => [],
    openPosition = async () => ({ logId: 'log', nextOffset: position, lastHash }),
  }: {
    readonly position?: bigint;
    readonly end?: bigint;
    readonly lastHash?: string;
    readonly read?: EventLog['read'];
    readonly openPosition?: HotStore['openPosition'];
  } = {},
): HotRecorder {
  const stop = new AbortController();
  onTestFinished(() => {
    stop.abort();
  });
  const log = {
    id: 'log',
    append: async () => undefined,
    read,
    range: async () => ({ begin: 0n, end }),
  } as unknown as EventLog;
  const store: HotStore = {
    openPosition,
    readPositions: async () => [],
    commit,
  };
  return new HotRecorder({ log, store, signal: stop.signal, batchSize: 1, ...options });
}
