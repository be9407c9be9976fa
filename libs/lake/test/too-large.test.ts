import { entryOf } from '@aipx/market-proto/testing';
import { describe, expect, it } from 'vitest';
import { BatchTooLarge, type BatchEncoder } from '../src/parquet/batch-encoder.js';
import type { StoreFault } from '../src/object-store/patience.js';
import { audit } from './support/audit.js';
import { ticks } from './support/events.js';
import { InThreadEncoder } from './support/in-thread-encoder.js';
import { MemoryLog } from './support/memory-log.js';
import { MemoryObjectStore } from './support/memory-object-store.js';
import { recordAll, TICKS } from './support/record-all.js';

/** Has memory for that many records. */
class SmallEncoder extends InThreadEncoder {
  readonly jobs: number[] = [];
  readonly #most: number;
  readonly #onDone: (jobs: number) => void;

  constructor(most: number, onDone: (jobs: number) => void = () => undefined) {
    super();
    this.#most = most;
    this.#onDone = onDone;
  }

  override async encode(job: Parameters<BatchEncoder['encode']>[0]) {
    this.jobs.push(job.records.offsets.length);
    const batch = await super.encode(job); // the records are handed over, whatever becomes of them
    this.#onDone(this.jobs.length);
    if ((this.jobs.at(-1) ?? 0) > this.#most) throw new BatchTooLarge('STORE_REFUSED', 'out of memory');
    return batch;
  }
}

async function logOf(rows: number, secondsApart = 1n): Promise<MemoryLog> {
  const log = new MemoryLog();
  await log.append(ticks(rows, secondsApart).map(entryOf));
  return log;
}

describe('a batch that is too large for the encoder', () => {
  it('is cut smaller, told of, and so are the next ones at once', async () => {
    const [objects, log, encoder] = [new MemoryObjectStore(), await logOf(40), new SmallEncoder(6)];
    const faults: StoreFault[] = [];
    const onFault = (fault: StoreFault) => faults.push(fault);
    const { counts } = await recordAll({ objects, log, encoder, batchRows: 20, onFault });
    expect(counts).toMatchObject({ rows: 40, missing: 0 });
    expect(await audit(objects, TICKS)).toEqual(Array(40).fill('file'));
    expect(encoder.jobs).toEqual([20, 10, 5, 5, 5, 5, 5, 5, 5, 5]);
    expect(faults.map(({ operation, key }) => [operation, key])).toEqual(
      Array(2).fill(['encode', 'market-data/_plan/market.tick-0-00000000000000000000.json']),
    );
    expect((await recordAll({ objects, log, encoder })).counts.recovered).toBe(0); // the hash at each cut holds
  });

  it('goes on when retention takes a whole one of the smaller batches', async () => {
    const [objects, log] = [new MemoryObjectStore(), await logOf(40)];
    const encoder = new SmallEncoder(6, (jobs) => {
      if (jobs === 3) log.forget(TICKS.topic, 12);
    });
    const { counts } = await recordAll({ objects, log, encoder, batchRows: 20 });
    expect(counts).toMatchObject({ rows: 33, missing: 7 });
    expect(await audit(objects, TICKS)).toEqual([
      ...Array(5).fill('file'),
      ...Array(7).fill('missing'),
      ...Array(28).fill('file'),
    ]);
  });

  it('ends the recorder when a single record is too large', async () => {
    const [objects, log] = [new MemoryObjectStore(), await logOf(3)];
    await expect(recordAll({ objects, log, encoder: new SmallEncoder(0) })).rejects.toBeInstanceOf(BatchTooLarge);
    expect(objects.objects.size).toBe(0);
  });
});

describe('a file that another owner has left', () => {
  it('is not called damaged by an encoder that had no memory to look into it', async () => {
    const [objects, log] = [new MemoryObjectStore(), await logOf(3)];
    await recordAll({ objects, log, encoder: new InThreadEncoder() });
    const entry = [...objects.objects.keys()].find((key) => key.includes('_manifest'));
    objects.objects.delete(entry ?? 'no manifest entry');
    const encoder = new InThreadEncoder();
    encoder.inspect = () => Promise.reject(new BatchTooLarge('STORE_REFUSED', 'out of memory'));
    await expect(recordAll({ objects, log, encoder })).rejects.toMatchObject({
      code: 'STORE_REFUSED',
      message: 'out of memory',
    });
    expect((await recordAll({ objects, log, encoder: new InThreadEncoder() })).counts).toMatchObject({
      rows: 3,
      missing: 0,
    });
    expect(await audit(objects, TICKS)).toEqual(Array(3).fill('file'));
  });
});
