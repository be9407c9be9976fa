import { MarketDataError } from '@aipx/market-model';
import { describe, expect, it } from 'vitest';
import { BOOKS, ManualStore, NEVER, recorderOn, records, TICKS } from '../../test/support/manual-cold-store.js';
import type { StoredBatch } from './cold-store.js';

describe('what is committed for the group', () => {
  it('is the end of the last batch with its begin, handed to the store at the next assignment', async () => {
    const store = new ManualStore();
    const recorder = await recorderOn(store, { batchRows: 4 });
    expect(recorder.position(TICKS)).toBeUndefined();
    await recorder.onRecords(TICKS, records(TICKS, 0, 8));
    await recorder.flush(NEVER);
    const committed = recorder.position(TICKS) ?? expect.fail();
    expect(committed).toEqual({ offset: 8n, metadata: '4' });
    await recorder.onAssigned(TICKS, { begin: 0n, end: 8n }, committed);
    expect(store.committed).toBe(committed);
    await recorder.onRevoked(TICKS);
    expect(recorder.position(TICKS)).toBeUndefined();
  });
});

describe('the status', () => {
  it('tells what is held, since when, and how often there was no room', async () => {
    const store = new ManualStore({ prompt: false });
    const recorder = await recorderOn(store, { batchRows: 2 }, [TICKS, BOOKS]);
    expect(recorder.status).toMatchObject({ bufferedRecords: 0, bufferedBytes: 0, waitingSince: undefined, pauses: 0 });
    await recorder.onRecords(BOOKS, records(BOOKS, 7, 1));
    await recorder.onRecords(TICKS, records(TICKS, 3, 3));
    expect(recorder.status).toMatchObject({ bufferedRecords: 4, bufferedBytes: 88, waitingSince: 3n, pauses: 0 });
    const waiting = recorder.onRecords(TICKS, records(TICKS, 6, 2));
    expect(recorder.status).toMatchObject({ bufferedRecords: 5, pauses: 1 });
    (await store.write(0)).done();
    await waiting;
    expect(recorder.status.waitingSince).toBe(5n);
    (await store.write(1)).done();
    await new Promise(setImmediate);
    expect(recorder.status).toMatchObject({ bufferedRecords: 2, waitingSince: 7n });
  });

  it('tells of an outage from its first failure to its end', async () => {
    const store = new ManualStore();
    const recorder = await recorderOn(store);
    const error = new MarketDataError('STORE_UNAVAILABLE', 'no answer', { retryable: true });
    store.session?.onFault(error, 1);
    const { since } = recorder.status.fault ?? expect.fail();
    store.session?.onFault(error, 2);
    expect(recorder.status.fault).toEqual({ since, error, failures: 2 });
    store.session?.onRecovered();
    expect(recorder.status.fault).toBeUndefined();
    store.session?.onFault(error, 1);
    await recorder.onRevoked(TICKS);
    expect(recorder.status.fault).toBeUndefined();
  });

  it('tells what each batch took', async () => {
    const stored: [bigint, number][] = [];
    const onStored = ({ end }: StoredBatch, millis: number) => stored.push([end, millis]);
    const recorder = await recorderOn(new ManualStore(), { batchRows: 2, onStored });
    await recorder.onRecords(TICKS, records(TICKS, 0, 3));
    await recorder.flush(NEVER);
    expect(stored.map(([end]) => end)).toEqual([2n, 3n]);
    expect(stored.every(([, millis]) => millis >= 0)).toBe(true);
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
      tick: 2,
      orderbook: 0,
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
