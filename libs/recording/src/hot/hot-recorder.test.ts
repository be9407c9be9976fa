import type { EventLog, LogRecord } from '@aipx/event-log';
import { MarketDataError } from '@aipx/market-model';
import { describe, expect, it, onTestFinished } from 'vitest';
import { HotRecorder } from './hot-recorder.js';
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

  it.each([2 ** 31, -1, Number.NaN])('refuses a wait of %d ms, which no timer can keep', (batchTimeoutMs) => {
    expect(() => setUp(() => Promise.resolve(STORED), { batchTimeoutMs })).toThrow(
      `batchTimeoutMs is ${batchTimeoutMs}`,
    );
  });
});

/** A recorder that writes each record at once, into a store whose commits end as they are told. */
function setUp(commit: HotStore['commit'], options: { readonly batchTimeoutMs?: number } = {}): HotRecorder {
  const stop = new AbortController();
  onTestFinished(() => {
    stop.abort();
  });
  const log = { id: 'log', append: async () => undefined, read: async () => [] } as unknown as EventLog;
  const store: HotStore = {
    openPosition: async () => ({ logId: 'log', nextOffset: 0n, lastHash: undefined }),
    readPositions: async () => [],
    commit,
  };
  return new HotRecorder({ log, store, signal: stop.signal, batchSize: 1, ...options });
}
