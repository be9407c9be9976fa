import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { packRecords, RecordPacker, recordsFrom, transferList, unpackRecords } from './packed-records.js';

const someRecords = fc
  .array(fc.record({ step: fc.bigInt({ min: 1n, max: 1000n }), value: fc.uint8Array({ maxLength: 300 }) }), {
    maxLength: 50,
  })
  .map((parts) => {
    let offset = -1n;
    return parts.map(({ step, value }) => ({ offset: (offset += step), value }));
  });

const plain = (packed: ReturnType<typeof packRecords>) =>
  [...unpackRecords(packed)].map(({ offset, value }) => ({ offset, value: Uint8Array.from(value) }));

describe('packed records', () => {
  it('unpack to what was packed', () => {
    fc.assert(
      fc.property(someRecords, (given) => {
        expect(plain(packRecords(given))).toEqual(given);
      }),
    );
  });

  it('unpack to the same in another thread’s hands', () => {
    fc.assert(
      fc.property(someRecords, (given) => {
        const packed = packRecords(given);
        const moved = structuredClone(packed, { transfer: transferList(packed) });
        expect(plain(moved)).toEqual(given);
        expect(packed.values.byteLength).toBe(0);
      }),
    );
  });

  it('can be had from an offset on', () => {
    fc.assert(
      fc.property(someRecords, fc.bigInt({ min: 0n, max: 5000n }), (given, from) => {
        expect(plain(recordsFrom(packRecords(given), from))).toEqual(given.filter(({ offset }) => offset >= from));
      }),
    );
  });

  it('do not hold on to the memory the records came in', () => {
    const value = new Uint8Array([1, 2, 3]);
    const packed = packRecords([{ offset: 0n, value }]);
    value.fill(0);
    expect(plain(packed)).toEqual([{ offset: 0n, value: new Uint8Array([1, 2, 3]) }]);
  });

  it('are refused when they have fewer values than offsets', () => {
    const packed = packRecords([{ offset: 0n, value: new Uint8Array([1]) }]);
    const broken = { ...packed, offsets: new BigInt64Array([0n, 1n]) };
    expect(() => plain(broken)).toThrow('a pack of 1 values has 2 offsets or more');
  });

  it('count their rows and bytes', () => {
    const packer = new RecordPacker();
    for (let offset = 0n; offset < 3000n; offset += 1n) packer.append({ offset, value: new Uint8Array(100) });
    expect([packer.rows, packer.bytes]).toEqual([3000, 300_000]);
    expect(packer.pack().values.byteLength).toBe(300_000);
  });
});
