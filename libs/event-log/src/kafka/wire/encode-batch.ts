import type { LogEntry } from '../../event-log.js';
import type { Codec } from '../codecs/codec.js';
import { BATCH, BATCH_VERSION, BEFORE_LENGTH } from './batch-layout.js';
import { crc32C } from './protocol.js';
import { sizeOfVarint, writeVarint } from './varint.js';

/** By what a broker knows a batch again: who sent it, and how many records of the partition came before. */
export interface BatchIdentity {
  readonly producerId: bigint;
  readonly producerEpoch: number;
  readonly baseSequence: number;
}

const SEQUENCE_NUMBERS = 2 ** 31;

/** The number of the record behind so many, as brokers count: after 2^31 - 1 comes 0. */
export function sequenceAfter(sequence: number, records: number): number {
  return (sequence + records) % SEQUENCE_NUMBERS;
}

/** Attributes, and the difference of the timestamp to the batch's, which is 0 here: one byte each. */
const FIXED_BYTES = 2;

/** One batch of all entries, in order, without an identity: `stampBatch` gives it one. */
export function encodeBatch(entries: readonly LogEntry[], timestamp: bigint, codec: Codec | undefined): Buffer {
  const plain = encodeRecords(entries);
  const records = codec?.compress(plain) ?? plain;
  const batch = Buffer.allocUnsafe(BATCH.records + records.length);
  batch.writeBigInt64BE(0n, BATCH.baseOffset);
  batch.writeInt32BE(batch.length - BEFORE_LENGTH, BATCH.length);
  batch.writeInt32BE(-1, BATCH.leaderEpoch);
  batch.writeInt8(BATCH_VERSION, BATCH.magic);
  batch.writeInt16BE(codec?.id ?? 0, BATCH.attributes);
  batch.writeInt32BE(entries.length - 1, BATCH.lastOffsetDelta);
  batch.writeBigInt64BE(timestamp, BATCH.baseTimestamp);
  batch.writeBigInt64BE(timestamp, BATCH.maxTimestamp);
  batch.writeInt32BE(entries.length, BATCH.count);
  records.copy(batch, BATCH.records);
  return batch;
}

export function stampBatch(batch: Buffer, identity: BatchIdentity): void {
  batch.writeBigInt64BE(identity.producerId, BATCH.producerId);
  batch.writeInt16BE(identity.producerEpoch, BATCH.producerEpoch);
  batch.writeInt32BE(identity.baseSequence, BATCH.baseSequence);
  batch.writeUInt32BE(crc32C(batch.subarray(BATCH.attributes)), BATCH.crc);
}

/** A record with what its length follows from. */
interface Measured {
  readonly entry: LogEntry;
  readonly keyBytes: number;
  readonly headers: Buffer;
  /** Of the record behind its own length. */
  readonly bodyBytes: number;
}

/** The records of a usual batch, put together here time and again: they are compressed or copied at once. */
const usualRecords = Buffer.allocUnsafeSlow(64 * 1024);

/** Valid until the next call. */
function encodeRecords(entries: readonly LogEntry[]): Buffer {
  const measured = entries.map(measure);
  const size = measured.reduce((sum, { bodyBytes }) => sum + sizeOfVarint(bodyBytes) + bodyBytes, 0);
  const records = size <= usualRecords.length ? usualRecords.subarray(0, size) : Buffer.allocUnsafe(size);
  let at = 0;
  measured.forEach((record, offsetDelta) => {
    at = writeRecord(records, at, record, offsetDelta);
  });
  return records;
}

function measure(entry: LogEntry, offsetDelta: number): Measured {
  const keyBytes = Buffer.byteLength(entry.key);
  const headers = encodedHeaders(entry.headers);
  const bodyBytes =
    FIXED_BYTES +
    sizeOfVarint(offsetDelta) +
    sizeOfVarint(keyBytes) +
    keyBytes +
    sizeOfVarint(entry.value.byteLength) +
    entry.value.byteLength +
    headers.length;
  return { entry, keyBytes, headers, bodyBytes };
}

function writeRecord(into: Buffer, at: number, record: Measured, offsetDelta: number): number {
  const { key, value } = record.entry;
  let next = writeVarint(into, at, record.bodyBytes);
  into.fill(0, next, next + FIXED_BYTES);
  next = writeVarint(into, next + FIXED_BYTES, offsetDelta);
  next = writeVarint(into, next, record.keyBytes);
  next += into.write(key, next);
  next = writeVarint(into, next, value.byteLength);
  into.set(value, next);
  next += value.byteLength;
  into.set(record.headers, next);
  return next + record.headers.length;
}

/** By the frozen object: a venue's records share a handful of them. */
const knownHeaders = new WeakMap<object, Buffer>();

function encodedHeaders(headers: LogEntry['headers']): Buffer {
  const known = knownHeaders.get(headers);
  if (known !== undefined) return known;
  const encoded = encodeHeaders(headers);
  if (Object.isFrozen(headers)) knownHeaders.set(headers, encoded);
  return encoded;
}

function encodeHeaders(headers: LogEntry['headers']): Buffer {
  const texts = Object.entries(headers).flat();
  const size = texts.reduce((sum, text) => sum + sizeOfVarint(Buffer.byteLength(text)) + Buffer.byteLength(text), 0);
  const count = texts.length / 2;
  const encoded = Buffer.allocUnsafe(sizeOfVarint(count) + size);
  let at = writeVarint(encoded, 0, count);
  for (const text of texts) {
    at = writeVarint(encoded, at, Buffer.byteLength(text));
    at += encoded.write(text, at);
  }
  return encoded;
}
