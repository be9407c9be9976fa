import fc from 'fast-check';
import { RecordBatch } from 'kafkajs/src/protocol/recordBatch/v0/index.js';
import decodeByKafkajs from 'kafkajs/src/protocol/recordBatch/v0/decoder.js';
import encodeRecordByKafkajs from 'kafkajs/src/protocol/recordBatch/record/v0/index.js';
import { describe, expect, it } from 'vitest';
import type { LogEntry } from '../../src/event-log.js';
import { codecFor, COMPRESSIONS, type Compression } from '../../src/kafka/codecs/compression.js';
import { BATCH } from '../../src/kafka/wire/batch-layout.js';
import { decodeBatch, nextOffset, wholeBatches } from '../../src/kafka/wire/decode-batch.js';
import { encodeBatch, stampBatch } from '../../src/kafka/wire/encode-batch.js';
import { crc32C, Decoder } from '../../src/kafka/wire/protocol.js';

const OF = { topic: 'market.tick', partition: 3 };
const NOW = 1_767_225_600_123n;
const IDENTITY = { producerId: 4_611_686_018_427_387_905n, producerEpoch: 7, baseSequence: 2_147_483_000 };

const text = fc.string({ unit: 'grapheme', maxLength: 40 });
const anyEntry: fc.Arbitrary<LogEntry> = fc.record({
  topic: fc.constant(OF.topic),
  key: text,
  value: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  headers: fc.oneof(
    fc.dictionary(text, text, { maxKeys: 4 }),
    fc.constantFrom(Object.freeze({ exchange: 'upbit' }), { constructor: 'a name that every object has' }),
  ),
});
const entries = fc.array(anyEntry, { minLength: 1, maxLength: 200 });

function batchOf(records: readonly LogEntry[], compression: Compression = 'none', baseOffset = 0n): Buffer {
  const batch = encodeBatch(records, NOW, codecFor(compression));
  stampBatch(batch, IDENTITY);
  batch.writeBigInt64BE(baseOffset, BATCH.baseOffset); // as the broker does; the checksum does not cover it
  return batch;
}

function contentOf({ key, headers, value }: LogEntry) {
  return { key, headers: { ...headers }, value: Buffer.from(value).toString('hex') };
}

describe('a record batch', () => {
  it('is read as it was written', () => {
    fc.assert(
      fc.property(
        entries,
        fc.constantFrom<Compression>('none', 'zstd'),
        fc.bigInt({ min: 0n, max: 2n ** 60n }),
        (records, compression, base) => {
          const batch = batchOf(records, compression, base);
          const read = decodeBatch(batch, OF);
          expect(read.map(contentOf)).toEqual(records.map(contentOf));
          expect(read.map(({ offset }) => offset)).toEqual(records.map((_, index) => base + BigInt(index)));
          expect(new Set(read.map(({ appendedAt }) => appendedAt))).toEqual(new Set([NOW * 1_000_000n]));
          expect(nextOffset(batch)).toBe(base + BigInt(records.length));
        },
      ),
      { numRuns: 100 },
    );
  });

  it('stays what it is when others are made after it, whatever compresses it', () => {
    const several = fc.array(entries, { minLength: 2, maxLength: 4 });
    const large = { topic: OF.topic, key: 'KRW-BTC', value: Buffer.alloc(70_000, 'a book'), headers: {} };
    fc.assert(
      fc.property(several, fc.constantFrom(...COMPRESSIONS), (lists, compression) => {
        const withLarge = [...lists, [large], ...lists];
        const batches = withLarge.map((records) => batchOf(records, compression));
        const read = batches.map((batch) => decodeBatch(batch, OF).map(contentOf));
        expect(read).toEqual(withLarge.map((records) => records.map(contentOf)));
      }),
      { numRuns: 50 },
    );
  });

  it('is read by kafkajs, which shares no code with it', async () => {
    await fc.assert(
      fc.asyncProperty(entries, async (records) => {
        const read = await decodeByKafkajs(new Decoder(batchOf(records)));
        expect(read).toMatchObject({
          producerId: String(IDENTITY.producerId),
          producerEpoch: IDENTITY.producerEpoch,
          firstSequence: IDENTITY.baseSequence,
        });
        expect(read.records.map(({ key, value }) => [key?.toString(), value?.toString('hex')])).toEqual(
          records.map(({ key, value }) => [key, Buffer.from(value).toString('hex')]),
        );
      }),
      { numRuns: 30 },
    );
  });

  it('of kafkajs is read: nulls, times of their own, and headers that come twice', async () => {
    const written = [
      { key: null, value: null, timestampDelta: 0, headers: {} },
      { key: 'KRW-BTC', value: Buffer.from('one'), timestampDelta: 5_000_000_000, headers: { exchange: 'upbit' } },
      { key: 'KRW-BTC', value: Buffer.from('two'), timestampDelta: -7, headers: { twice: ['first', 'last'] } },
    ];
    const batch = await RecordBatch({
      records: written.map((record, offsetDelta) => encodeRecordByKafkajs({ ...record, offsetDelta })),
      firstTimestamp: Number(NOW),
      lastOffsetDelta: written.length - 1,
    });
    expect(decodeBatch(batch.buffer, OF)).toMatchObject([
      { key: '', value: Buffer.alloc(0), appendedAt: NOW * 1_000_000n, headers: {} },
      { key: 'KRW-BTC', appendedAt: (NOW + 5_000_000_000n) * 1_000_000n, headers: { exchange: 'upbit' } },
      { key: 'KRW-BTC', appendedAt: (NOW - 7n) * 1_000_000n, headers: { twice: 'last' } },
    ]);
  });

  it('has the broker’s time where the topic asks for it', () => {
    const batch = batchOf([{ topic: OF.topic, key: 'a', value: Buffer.alloc(1), headers: {} }]);
    batch.writeInt16BE(0x08, BATCH.attributes);
    batch.writeBigInt64BE(42n, BATCH.maxTimestamp);
    expect(decodeBatch(signed(batch), OF)[0]?.appendedAt).toBe(42_000_000n);
  });

  it('yields nothing when it only marks a transaction', () => {
    const batch = batchOf([{ topic: OF.topic, key: 'a', value: Buffer.alloc(1), headers: {} }]);
    batch.writeInt16BE(0x20, BATCH.attributes);
    expect(decodeBatch(signed(batch), OF)).toEqual([]);
  });

  it('holds a quarter of a million records', () => {
    const one = { topic: OF.topic, key: 'KRW-BTC', value: Buffer.from('x'), headers: {} };
    const read = decodeBatch(
      batchOf(
        Array.from({ length: 250_000 }, () => one),
        'zstd',
      ),
      OF,
    );
    expect(read.at(-1)).toMatchObject({ offset: 249_999n, key: 'KRW-BTC' });
  });

  it('is refused with its offset when a single bit of it was turned', () => {
    const sound = batchOf(
      Array.from({ length: 20 }, (_, n) => ({ topic: OF.topic, key: `${n}`, value: Buffer.alloc(9), headers: {} })),
      'none',
      77n,
    );
    fc.assert(
      fc.property(fc.integer({ min: BATCH.magic, max: sound.length - 1 }), fc.nat(7), (at, bit) => {
        const damaged = Buffer.from(sound);
        damaged[at] = (damaged[at] ?? 0) ^ (1 << bit);
        expect(() => decodeBatch(damaged, OF)).toThrow(
          expect.objectContaining({ code: 'STORE_DAMAGED', context: { ...OF, offset: '77' } }) as Error,
        );
      }),
    );
  });

  it('is refused when its records cannot be what it says, though the checksum matches', () => {
    const batch = batchOf([{ topic: OF.topic, key: 'a', value: Buffer.alloc(1), headers: {} }]);
    batch.writeInt32BE(2, BATCH.count);
    expect(() => decodeBatch(signed(batch), OF)).toThrow(expect.objectContaining({ code: 'STORE_DAMAGED' }) as Error);
    batch.writeInt16BE(6, BATCH.attributes);
    expect(() => decodeBatch(signed(batch), OF)).toThrow(/compression 6/);
  });
});

describe('the bytes of a fetch', () => {
  it('are cut into the batches that are whole, wherever they end', () => {
    const batches = [1, 2, 3].map((count) =>
      batchOf(
        Array.from({ length: count }, () => ({ topic: OF.topic, key: 'a', value: Buffer.alloc(5), headers: {} })),
      ),
    );
    const all = Buffer.concat(batches);
    const ends = batches.map((_, index) => Buffer.concat(batches.slice(0, index + 1)).length);
    for (let length = 0; length <= all.length; length += 1) {
      const whole = [...wholeBatches(all.subarray(0, length))];
      expect(whole).toHaveLength(ends.filter((end) => end <= length).length);
      for (const [index, batch] of whole.entries()) expect(batch.equals(batches[index] ?? Buffer.alloc(0))).toBe(true);
    }
  });
});

function signed(batch: Buffer): Buffer {
  batch.writeUInt32BE(crc32C(batch.subarray(BATCH.attributes)), BATCH.crc);
  return batch;
}
