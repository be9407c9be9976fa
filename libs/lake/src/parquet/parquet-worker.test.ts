import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { encodeEvent } from '@aipx/market-proto';
import { packRecords } from '@aipx/recording';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { query } from '../../test/support/duckdb.js';
import { ticks, tick } from '../../test/support/events.js';
import { InThreadEncoder } from '../../test/support/in-thread-encoder.js';
import { tempFolder } from '../../test/support/temp-folder.js';
import { BatchTooLarge } from './batch-encoder.js';
import type { Compression } from './parquet-table.js';
import { ParquetWorker } from './parquet-worker.js';
import type { WorkerReply } from './worker-messages.js';

const partition = { topic: 'market.tick', partition: 0 };
const job = (rows = 5, secondsApart = 1n) => ({
  partition,
  records: packRecords(
    ticks(rows, secondsApart).map((event, index) => ({ offset: BigInt(index), value: encodeEvent(event) })),
  ),
});
/** Of each symbol the text is kept until the file is written, so that the rows of one hour take much memory. */
const manySymbols = (rows: number) => ({
  partition,
  records: packRecords(
    ticks(rows, 0n).map((event, index) => ({
      offset: BigInt(index),
      value: encodeEvent({ ...event, symbol: `KRW-${String(index).padStart(400, '0')}` }),
    })),
  ),
});

describe('ParquetWorker', () => {
  let worker: ParquetWorker;
  beforeAll(async () => {
    worker = await ParquetWorker.start();
  });
  afterAll(() => worker.close());

  it('writes the bytes that the same job gives anywhere', async () => {
    expect(await worker.encode(job())).toEqual(await new InThreadEncoder().encode(job()));
  });

  it.each<Compression>(['snappy', 'zstd'])('compresses with %s when told so', async (compression) => {
    const told = await ParquetWorker.start(compression);
    const [file] = (await told.encode(job())).hours;
    const path = join(await tempFolder(), 'file.parquet');
    await writeFile(path, file?.bytes ?? expect.fail());
    const used = await query(`SELECT DISTINCT compression FROM parquet_metadata('${path}')`);
    expect(used).toEqual([{ compression: compression.toUpperCase() }]);
    await told.close();
  });

  it('takes the records’ memory instead of copying it', async () => {
    const given = job();
    await worker.encode(given);
    expect(given.records.values.byteLength).toBe(0);
  });

  it('does jobs given at once one after the other, each with its own answer', async () => {
    const rows = [3, 1, 4, 1, 5];
    const batches = await Promise.all(rows.map((count) => worker.encode(job(count))));
    expect(batches.map(({ hours }) => hours.reduce((sum, hour) => sum + hour.rows, 0))).toEqual(rows);
  });

  it('does not begin a job that is given up while it waits for its turn', async () => {
    const stop = new AbortController();
    const first = worker.encode(job());
    const given = job();
    const second = worker.encode(given, stop.signal);
    stop.abort(new Error('revoked'));
    await expect(second).rejects.toThrow('revoked');
    expect(given.records.values.byteLength).toBeGreaterThan(0);
    expect(await worker.encode(job())).toEqual(await first);
  });

  it('says what is not decodable', async () => {
    const records = packRecords([
      { offset: 3n, value: encodeEvent(tick()) },
      { offset: 9n, value: new Uint8Array([0xff]) },
    ]);
    expect(await worker.encode({ partition, records })).toMatchObject({ undecodable: [{ begin: 9n, end: 10n }] });
  });

  it('reads back what a file holds', async () => {
    const [file] = (await worker.encode(job(2))).hours;
    const { rows, offsets, sha256, bytes } = file ?? expect.fail();
    expect(await worker.inspect(bytes)).toEqual({ rows, offsets, sha256, bytes: bytes.byteLength });
  });

  it('reads back a file without rows', async () => {
    const follow = { undecodable: [], hours: ['2024-05-01T13'] };
    const [file] = (await worker.encode({ partition, records: packRecords([]), follow })).hours;
    expect(await worker.inspect(file?.bytes ?? expect.fail())).toMatchObject({ rows: 0, offsets: [] });
  });

  it('refuses what is no file of the lake, and goes on', async () => {
    await expect(worker.inspect(new Uint8Array(100))).rejects.toMatchObject({ code: 'STORE_REFUSED' });
    expect((await worker.encode(job(1))).hours).toHaveLength(1);
  });

  it('names the batch and the way out when its memory does not suffice, and goes on with the next', async () => {
    const small = await ParquetWorker.start('snappy', 32);
    const tooLarge = small.encode(manySymbols(90_000));
    const next = small.encode(job(2));
    const refusal = { code: 'STORE_REFUSED', retryable: false };
    await expect(tooLarge).rejects.toBeInstanceOf(BatchTooLarge);
    await expect(tooLarge).rejects.toMatchObject(refusal);
    await expect(tooLarge).rejects.toThrow(
      /its 32 MB of memory at a batch of market\.tick\/0 from offset 0, 90000 records .*S3_BATCH_SIZE/,
    );
    expect((await next).hours).toHaveLength(1);
    await small.close();
  });

  it('calls a batch too large when there is no memory beside the heap, and goes on with the next', async () => {
    const noMemory: WorkerReply = { kind: 'tooLarge', message: 'Array buffer allocation failed' };
    const posted = vi.spyOn(Worker.prototype, 'postMessage').mockImplementationOnce(function (this: Worker) {
      this.emit('message', noMemory);
    });
    const tooLarge = worker.encode(job(3));
    await expect(tooLarge).rejects.toBeInstanceOf(BatchTooLarge);
    await expect(tooLarge).rejects.toThrow(
      /allocation failed\) at a batch of market\.tick\/0 from offset 0, 3 records .*S3_BATCH_SIZE/,
    );
    posted.mockRestore();
    expect((await worker.encode(job(2))).hours).toHaveLength(1);
  });

  it('fails what is asked of it once it has ended', async () => {
    const asked = worker.encode(job());
    await worker.close();
    await expect(asked).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    await expect(worker.encode(job())).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  });
});
