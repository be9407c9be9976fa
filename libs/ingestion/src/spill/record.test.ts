import { describe, expect, it } from 'vitest';
import { decodeRecord, encodeRecord, isCutRecord, isIntact, recordBytes, sequenceOf, sizeInPrefix } from './record.js';

const ENTRY = {
  topic: 'market.tick',
  key: 'KRW-BTC',
  headers: { exchange: 'upbit' },
  value: new Uint8Array([1, 2, 3]),
  receivedAt: 1_700_000_000_000_000_001n,
};

describe('a spilled record', () => {
  it('carries sequences beyond 32 bits', () => {
    const bytes = Buffer.alloc(recordBytes(ENTRY));
    const sequence = 2 ** 40 + 5;
    expect(encodeRecord(bytes, 0, ENTRY, sequence, 7)).toBe(bytes.length);
    expect(sequenceOf(bytes, 0)).toBe(sequence);
    expect(sizeInPrefix(bytes, 0)).toBe(bytes.length);
    expect(decodeRecord(bytes, 0, bytes.length)).toEqual({ ...ENTRY, value: Buffer.from(ENTRY.value) });
  });

  it('is intact only where it was written: another seed is another file', () => {
    const bytes = Buffer.alloc(recordBytes(ENTRY));
    encodeRecord(bytes, 0, ENTRY, 1, 7);
    expect([isIntact(bytes, 0, bytes.length, 7), isIntact(bytes, 0, bytes.length, 8)]).toEqual([true, false]);
  });

  it('is told from damage when it is cut, wherever that is, and damage is never taken for a cut', () => {
    const bytes = Buffer.alloc(recordBytes(ENTRY));
    encodeRecord(bytes, 0, ENTRY, 1, 7);
    for (let length = 1; length < bytes.length; length += 1)
      expect(isCutRecord(bytes.subarray(0, length), length)).toBe(true);
    expect(isCutRecord(bytes, bytes.length)).toBe(false);
    for (let bit = 0; bit < 96; bit += 1) {
      const flipped = Buffer.from(bytes);
      flipped.writeUInt8((bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7)), bit >> 3);
      expect(isCutRecord(flipped, bytes.length)).toBe(false);
    }
  });
});
