import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { murmur2, Partitioner } from './partitioner.js';

describe('the partitioner', () => {
  // The vectors of Kafka's own test, `UtilsTest.testMurmur2`.
  it.each([
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
    ['abc', 479470107],
  ])('hashes %j to %i, as the Java client does', (key, hash) => {
    expect(murmur2(Buffer.from(key))).toBe(hash);
  });

  it('hashes a view into a larger buffer by its own bytes only', () => {
    const bytes = Buffer.from('xxfoobarxx');
    expect(murmur2(bytes.subarray(2, 8))).toBe(-790332482);
  });

  it('makes a negative hash positive by its lowest 31 bits, not by its absolute value', () => {
    expect(new Partitioner().partitionOf('21', 6)).toBe((-973932308 & 0x7fffffff) % 6);
  });

  it('gives a key the same partition each time, within bounds, however many keys came between', () => {
    const partitioner = new Partitioner();
    const first = partitioner.partitionOf('KRW-BTC', 6);
    for (let n = 0; n < 20_000; n += 1) partitioner.partitionOf(`key ${n}`, 6);
    expect(partitioner.partitionOf('KRW-BTC', 6)).toBe(first);
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 1, max: 1000 }), (key, partitions) => {
        const partition = partitioner.partitionOf(key, partitions);
        expect(partition).toBeGreaterThanOrEqual(0);
        expect(partition).toBeLessThan(partitions);
        expect(new Partitioner().partitionOf(key, partitions)).toBe(partition);
      }),
    );
  });
});
