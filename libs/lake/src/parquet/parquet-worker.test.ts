import { encodeEvent } from '@aipx/market-proto';
import { packRecords } from '@aipx/recording';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ticks, tick } from '../../test/support/events.js';
import { InThreadEncoder } from '../../test/support/in-thread-encoder.js';
import { ParquetWorker } from './parquet-worker.js';

const partition = { topic: 'market.tick', partition: 0 };
const job = (rows = 5) => ({
  partition,
  records: packRecords(ticks(rows).map((event, index) => ({ offset: BigInt(index), value: encodeEvent(event) }))),
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

  it('names the batch and the way out when its memory does not suffice', async () => {
    const small = await ParquetWorker.start('snappy', 32);
    await expect(small.encode(job(60_000))).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      retryable: false,
      message: expect.stringMatching(
        /out of memory at a batch of market\.tick\/0 from offset 0, 60000 records .*larger heap/,
      ),
    });
  });

  it('fails what is asked of it once it has ended', async () => {
    const asked = worker.encode(job());
    await worker.close();
    await expect(asked).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    await expect(worker.encode(job())).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  });
});
