import { crc32 } from 'node:zlib';
import { headerBytes, headersIn } from './header-texts.js';
import type { SpillEntry } from './spill-entry.js';

/**
 * A record in a segment, little endian. It needs no other record to be read, so that a flipped bit costs one record.
 *
 *     0  u32  magic "AXSR"
 *     4  u32  length of the body
 *     8  u32  the length's complement
 *    12  u32  crc32 of the body, begun with the crc32 of the segment's header
 *    16  body: u64 sequence, i64 received at (ns), u32 bytes of the topic, u32 of the key, u32 of the headers,
 *              then topic, key and headers (JSON), all UTF-8, and the value up to the end
 */
export const RECORD_MAGIC = Buffer.from('AXSR', 'latin1');
export const RECORD_PREFIX_BYTES = 16;
const CRC_AT = 12;
const BODY_FIXED_BYTES = 28;
export const LEAST_RECORD_BYTES = RECORD_PREFIX_BYTES + BODY_FIXED_BYTES;

const MAGIC = RECORD_MAGIC.readUInt32LE();
const TWO_TO_32 = 0x1_0000_0000;

/** What the entry takes on the disk. */
export function recordBytes({ topic, key, headers, value }: SpillEntry): number {
  return (
    LEAST_RECORD_BYTES +
    Buffer.byteLength(topic) +
    Buffer.byteLength(key) +
    headerBytes(headers).byteLength +
    value.byteLength
  );
}

/** Writes the entry to `target`, which has room for it, and returns the position behind it. */
export function encodeRecord(target: Buffer, at: number, entry: SpillEntry, sequence: number, seed: number): number {
  const headers = headerBytes(entry.headers);
  const body = at + RECORD_PREFIX_BYTES;
  let end = body + BODY_FIXED_BYTES;
  const topicBytes = target.write(entry.topic, end);
  end += topicBytes;
  const keyBytes = target.write(entry.key, end);
  end += keyBytes;
  target.set(headers, end);
  end += headers.byteLength;
  target.set(entry.value, end);
  end += entry.value.byteLength;

  target.writeUInt32LE(sequence % TWO_TO_32, body);
  target.writeUInt32LE(Math.floor(sequence / TWO_TO_32), body + 4);
  target.writeBigInt64LE(entry.receivedAt, body + 8);
  target.writeUInt32LE(topicBytes, body + 16);
  target.writeUInt32LE(keyBytes, body + 20);
  target.writeUInt32LE(headers.byteLength, body + 24);

  const length = end - body;
  target.writeUInt32LE(MAGIC, at);
  target.writeUInt32LE(length, at + 4);
  target.writeUInt32LE(~length >>> 0, at + 8);
  target.writeUInt32LE(crc32(target.subarray(body, end), seed), at + CRC_AT);
  return end;
}

/** The size of the record whose prefix stands here; `undefined` when none does. */
export function sizeInPrefix(bytes: Buffer, at: number): number | undefined {
  if (bytes.readUInt32LE(at) !== MAGIC) return undefined;
  const length = bytes.readUInt32LE(at + 4);
  if (~length >>> 0 !== bytes.readUInt32LE(at + 8) || length < BODY_FIXED_BYTES) return undefined;
  return RECORD_PREFIX_BYTES + length;
}

/** Whether the bytes of a record whose prefix is good are what was written. */
export function isIntact(bytes: Buffer, at: number, size: number, seed: number): boolean {
  const body = bytes.subarray(at + RECORD_PREFIX_BYTES, at + size);
  return crc32(body, seed) === bytes.readUInt32LE(at + CRC_AT);
}

/** Of an intact record. */
export function sequenceOf(bytes: Buffer, at: number): number {
  const body = at + RECORD_PREFIX_BYTES;
  return bytes.readUInt32LE(body) + bytes.readUInt32LE(body + 4) * TWO_TO_32;
}

/** The entry of an intact record. Its value is a view of `bytes`, not a copy. */
export function decodeRecord(bytes: Buffer, at: number, size: number): SpillEntry {
  const body = at + RECORD_PREFIX_BYTES;
  const topicAt = body + BODY_FIXED_BYTES;
  const keyAt = topicAt + bytes.readUInt32LE(body + 16);
  const headersAt = keyAt + bytes.readUInt32LE(body + 20);
  const valueAt = headersAt + bytes.readUInt32LE(body + 24);
  return {
    topic: bytes.toString('utf8', topicAt, keyAt),
    key: bytes.toString('utf8', keyAt, headersAt),
    headers: headersIn(bytes, headersAt, valueAt),
    value: bytes.subarray(valueAt, at + size),
    receivedAt: bytes.readBigInt64LE(body + 8),
  };
}

/** Whether the last `remaining` bytes of a file, which begin with `bytes`, are a record whose end was never written. */
export function isCutRecord(bytes: Buffer, remaining: number): boolean {
  const known = Math.min(bytes.length, CRC_AT);
  const expected = Buffer.alloc(CRC_AT);
  bytes.copy(expected);
  expected.writeUInt32LE(MAGIC);
  const length = expected.readUInt32LE(4);
  expected.writeUInt32LE(~length >>> 0, 8);
  if (!expected.subarray(0, known).equals(bytes.subarray(0, known))) return false;
  return known < CRC_AT || RECORD_PREFIX_BYTES + length > remaining;
}
