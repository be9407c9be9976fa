import { describe, expect, it } from 'vitest';
import { FetchedRecords } from './fetched-records.js';
import { ATTRIBUTES, BATCH } from './wire/batch-layout.js';
import { encodeBatch, stampBatch } from './wire/encode-batch.js';
import { crc32C } from './wire/protocol.js';

const OF = { topic: 'market.tick', partition: 0 };
const AMPLE = { maxRecords: 1_000, maxBytes: 1_000_000 };

/** A batch of as many records as there are offsets from `base` up to `end`. */
function batch(base: number, end: number): Buffer {
  const entries = Array.from({ length: end - base }, () => ({
    topic: OF.topic,
    key: 'k',
    value: Buffer.from('v'),
    headers: {},
  }));
  const bytes = encodeBatch(entries, 0n, undefined);
  stampBatch(bytes, { producerId: 1n, producerEpoch: 0, baseSequence: 0 });
  bytes.writeBigInt64BE(BigInt(base), BATCH.baseOffset);
  return bytes;
}

const offsets = (fetched: FetchedRecords, limits = AMPLE) => fetched.take(limits).map(({ offset }) => Number(offset));

describe('what was fetched of a partition', () => {
  it('begins at the offset asked for, though its batch begins before', () => {
    const fetched = new FetchedRecords(OF, 3n);
    fetched.add(batch(0, 6));
    expect(offsets(fetched)).toEqual([3, 4, 5]);
    expect(fetched.next).toBe(6n);
  });

  it('is taken over the borders of batches and fetches, within the limits, none twice', () => {
    const fetched = new FetchedRecords(OF, 0n);
    fetched.add(Buffer.concat([batch(0, 2), batch(2, 3)]));
    fetched.add(Buffer.concat([batch(2, 3), batch(3, 7)]));
    expect(offsets(fetched, { ...AMPLE, maxRecords: 4 })).toEqual([0, 1, 2, 3]);
    expect(offsets(fetched, { ...AMPLE, maxBytes: 4 })).toEqual([4, 5]);
    expect(fetched.isEmpty).toBe(false);
    expect(offsets(fetched, { ...AMPLE, maxBytes: 1 })).toEqual([6]);
    expect(fetched.isEmpty).toBe(true);
    expect(offsets(fetched)).toEqual([]);
  });

  it('gives none twice when batches come again with other borders', () => {
    const fetched = new FetchedRecords(OF, 0n);
    fetched.add(batch(0, 4));
    expect(offsets(fetched, { ...AMPLE, maxRecords: 2 })).toEqual([0, 1]);
    fetched.add(Buffer.concat([batch(0, 3), batch(3, 6)]));
    expect(offsets(fetched)).toEqual([2, 3, 4, 5]);
    fetched.add(batch(5, 8));
    expect(offsets(fetched)).toEqual([6, 7]);
  });

  it('gives what lies before a hole, and then refuses to pass over it', () => {
    const fetched = new FetchedRecords(OF, 0n);
    fetched.add(Buffer.concat([batch(0, 1), batch(5, 6)]));
    expect(offsets(fetched)).toEqual([0]);
    const refusal = { code: 'STORE_DAMAGED', message: expect.stringContaining('the batch at offset 5') as string };
    for (let tries = 0; tries < 2; tries += 1)
      expect(() => fetched.take(AMPLE)).toThrow(expect.objectContaining(refusal) as Error);
  });

  it('refuses a batch that has lost records to compaction', () => {
    const fetched = new FetchedRecords(OF, 0n);
    const compacted = batch(0, 3);
    compacted.writeInt32BE(4, BATCH.lastOffsetDelta);
    compacted.writeUInt32BE(crc32C(compacted.subarray(BATCH.attributes)), BATCH.crc);
    fetched.add(compacted);
    const refusal = { message: expect.stringContaining('has 3 records for 5 offsets') as string };
    expect(() => fetched.take(AMPLE)).toThrow(expect.objectContaining(refusal) as Error);
  });

  it('passes over the markers of transactions, which have offsets but are no records', () => {
    const fetched = new FetchedRecords(OF, 0n);
    const marker = batch(1, 2);
    marker.writeInt16BE(ATTRIBUTES.control, BATCH.attributes);
    marker.writeUInt32BE(crc32C(marker.subarray(BATCH.attributes)), BATCH.crc);
    fetched.add(Buffer.concat([batch(0, 1), marker, batch(2, 3)]));
    expect(offsets(fetched)).toEqual([0, 2]);
  });

  it('waits for the rest of a batch that is cut off, but refuses bytes that begin with no batch', () => {
    const fetched = new FetchedRecords(OF, 0n);
    const second = batch(1, 3);
    fetched.add(Buffer.concat([batch(0, 1), second.subarray(0, second.length - 1)]));
    expect(offsets(fetched)).toEqual([0]);
    expect(fetched.next).toBe(1n);
    second.writeInt32BE(2 ** 30, BATCH.length);
    expect(() => fetched.add(second)).toThrow(expect.objectContaining({ code: 'STORE_DAMAGED' }) as Error);
    second.writeInt32BE(-1, BATCH.length);
    expect(() => fetched.add(second)).toThrow(expect.objectContaining({ code: 'STORE_DAMAGED' }) as Error);
  });
});
