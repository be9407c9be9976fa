import { describe, expect, it } from 'vitest';
import { FetchedRecords } from './fetched-records.js';
import { ATTRIBUTES, BATCH } from './wire/batch-layout.js';
import type { AbortedTransaction } from './wire/fetch.js';
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

const add = (fetched: FetchedRecords, bytes: Buffer, aborted: readonly AbortedTransaction[] = []) =>
  fetched.add({ bytes, aborted });

const offsets = (fetched: FetchedRecords, limits = AMPLE) => fetched.take(limits).map(({ offset }) => Number(offset));

describe('what was fetched of a partition', () => {
  it('begins at the offset asked for, though its batch begins before', () => {
    const fetched = new FetchedRecords(OF, 3n);
    add(fetched, batch(0, 6));
    expect(offsets(fetched)).toEqual([3, 4, 5]);
    expect(fetched.next).toBe(6n);
  });

  it('is taken over the borders of batches and fetches, within the limits, none twice', () => {
    const fetched = new FetchedRecords(OF, 0n);
    add(fetched, Buffer.concat([batch(0, 2), batch(2, 3)]));
    add(fetched, Buffer.concat([batch(2, 3), batch(3, 7)]));
    expect(offsets(fetched, { ...AMPLE, maxRecords: 4 })).toEqual([0, 1, 2, 3]);
    expect(offsets(fetched, { ...AMPLE, maxBytes: 4 })).toEqual([4, 5]);
    expect(fetched.isEmpty).toBe(false);
    expect(offsets(fetched, { ...AMPLE, maxBytes: 1 })).toEqual([6]);
    expect(fetched.isEmpty).toBe(true);
    expect(offsets(fetched)).toEqual([]);
  });

  it('gives none twice when batches come again with other borders', () => {
    const fetched = new FetchedRecords(OF, 0n);
    add(fetched, batch(0, 4));
    expect(offsets(fetched, { ...AMPLE, maxRecords: 2 })).toEqual([0, 1]);
    add(fetched, Buffer.concat([batch(0, 3), batch(3, 6)]));
    expect(offsets(fetched)).toEqual([2, 3, 4, 5]);
    add(fetched, batch(5, 8));
    expect(offsets(fetched)).toEqual([6, 7]);
  });

  it('passes over an aborted batch only when that is sound: its header says how many offsets it is', () => {
    const transactional = batch(0, 3);
    transactional.writeInt16BE(ATTRIBUTES.transactional, BATCH.attributes);
    stampBatch(transactional, { producerId: 1n, producerEpoch: 0, baseSequence: 0 });
    const damaged = Buffer.from(transactional);
    damaged.writeInt32BE(5, BATCH.lastOffsetDelta);
    const aborted = [{ producerId: 1n, firstOffset: 0n }];
    const sound = new FetchedRecords(OF, 0n);
    add(sound, transactional, aborted);
    expect([offsets(sound), sound.next]).toEqual([[], 3n]);
    const unsound = new FetchedRecords(OF, 0n);
    add(unsound, damaged, aborted);
    expect(() => offsets(unsound)).toThrow(/does not match its checksum/);
  });

  it('gives what lies before a hole, and then refuses to pass over it', () => {
    const fetched = new FetchedRecords(OF, 0n);
    add(fetched, Buffer.concat([batch(0, 1), batch(5, 6)]));
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
    add(fetched, compacted);
    const refusal = { message: expect.stringContaining('has 3 records for 5 offsets') as string };
    expect(() => fetched.take(AMPLE)).toThrow(expect.objectContaining(refusal) as Error);
  });

  it('passes over the markers of transactions, which have offsets but are no records', () => {
    const fetched = new FetchedRecords(OF, 0n);
    const marker = batch(1, 2);
    marker.writeInt16BE(ATTRIBUTES.control, BATCH.attributes);
    marker.writeUInt32BE(crc32C(marker.subarray(BATCH.attributes)), BATCH.crc);
    add(fetched, Buffer.concat([batch(0, 1), marker, batch(2, 3)]));
    expect(offsets(fetched)).toEqual([0, 2]);
  });

  it('leaves out what aborted transactions hold, and nothing else of their producers', () => {
    const fetched = new FetchedRecords(OF, 1n);
    const of = (producerId: bigint, attributes: number, bytes: Buffer) => {
      bytes.writeBigInt64BE(producerId, BATCH.producerId);
      bytes.writeInt16BE(attributes, BATCH.attributes);
      bytes.writeUInt32BE(crc32C(bytes.subarray(BATCH.attributes)), BATCH.crc);
      return bytes;
    };
    const { control, transactional } = ATTRIBUTES;
    const bytes = Buffer.concat([
      of(7n, transactional, batch(0, 2)),
      of(8n, transactional, batch(2, 3)),
      of(7n, control | transactional, batch(3, 4)),
      of(7n, transactional, batch(4, 6)),
      of(8n, control | transactional, batch(6, 7)),
      of(9n, 0, batch(7, 8)),
      of(7n, transactional, batch(8, 9)),
    ]);
    // They begin before the fetch, or behind what the producer committed.
    const aborted = [
      { producerId: 7n, firstOffset: 8n },
      { producerId: 7n, firstOffset: 0n },
    ];
    add(fetched, bytes, aborted);
    expect(offsets(fetched)).toEqual([2, 4, 5, 7]);
    expect(fetched.next).toBe(9n);
  });

  it('waits for the rest of a batch that is cut off, but refuses bytes that begin with no batch', () => {
    const fetched = new FetchedRecords(OF, 0n);
    const second = batch(1, 3);
    add(fetched, Buffer.concat([batch(0, 1), second.subarray(0, second.length - 1)]));
    expect(offsets(fetched)).toEqual([0]);
    expect(fetched.next).toBe(1n);
    second.writeInt32BE(2 ** 30, BATCH.length);
    expect(() => add(fetched, second)).toThrow(expect.objectContaining({ code: 'STORE_DAMAGED' }) as Error);
    second.writeInt32BE(-1, BATCH.length);
    expect(() => add(fetched, second)).toThrow(expect.objectContaining({ code: 'STORE_DAMAGED' }) as Error);
  });
});
