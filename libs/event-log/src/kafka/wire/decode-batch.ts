import { MarketDataError } from '@aipx/market-model';
import type { LogRecord, TopicPartition } from '../../event-log.js';
import { codecWithId } from '../codecs/compression.js';
import { ATTRIBUTES, BATCH, BATCH_VERSION, BEFORE_LENGTH } from './batch-layout.js';
import { crc32C } from './protocol.js';
import { VarintReader } from './varint.js';

const NANOS_PER_MILLI = 1_000_000n;
const NO_BYTES = Buffer.alloc(0);

/** The batches that lie whole in the bytes of a fetch; its last one may be cut off. */
export function* wholeBatches(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at + BATCH.records <= bytes.length;) {
    const end = at + BEFORE_LENGTH + bytes.readInt32BE(at + BATCH.length);
    if (end > bytes.length || end < at + BATCH.records) return;
    yield bytes.subarray(at, end);
    at = end;
  }
}

/** The offset behind the batch's last record. */
export function nextOffset(batch: Buffer): bigint {
  return baseOffset(batch) + BigInt(batch.readInt32BE(BATCH.lastOffsetDelta)) + 1n;
}

/**
 * The batch's records; none for one that holds transaction markers.
 *
 * @throws {MarketDataError} `STORE_DAMAGED` for bytes that are no sound batch, or one that has lost records
 */
export function decodeBatch(batch: Buffer, of: TopicPartition): LogRecord[] {
  expectSound(batch, of);
  const attributes = batch.readInt16BE(BATCH.attributes);
  if ((attributes & ATTRIBUTES.control) !== 0) return [];
  try {
    return new RecordReader(batch, of).records(plainRecords(batch, attributes & ATTRIBUTES.codec));
  } catch (cause) {
    throw damaged(
      of,
      baseOffset(batch),
      `cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`,
      cause,
    );
  }
}

/** @throws {MarketDataError} `STORE_DAMAGED` for another format, and for bytes that are not those that were written */
export function expectSound(batch: Buffer, of: TopicPartition): void {
  const version = batch.readInt8(BATCH.magic);
  if (version !== BATCH_VERSION)
    throw damaged(of, baseOffset(batch), `is of format ${version}; this client reads ${BATCH_VERSION}`);
  if (crc32C(batch.subarray(BATCH.attributes)) !== batch.readUInt32BE(BATCH.crc)) {
    throw damaged(of, baseOffset(batch), 'does not match its checksum');
  }
}

function plainRecords(batch: Buffer, codecId: number): Buffer {
  const records = batch.subarray(BATCH.records);
  if (codecId === 0) return records;
  const codec = codecWithId(codecId);
  if (codec === undefined) throw new RangeError(`compression ${codecId} is not one of Kafka's`);
  return codec.decompress(records);
}

class RecordReader {
  readonly #of: TopicPartition;
  readonly #count: number;
  readonly #offsets: number;
  readonly #baseOffset: bigint;
  readonly #baseTimestamp: bigint;
  /** When the broker took the batch, if it is the broker that says so. */
  readonly #appendTime: bigint | undefined;
  #headerBytes: Buffer = NO_BYTES;
  #headers: LogRecord['headers'] = {};

  constructor(batch: Buffer, of: TopicPartition) {
    this.#of = of;
    this.#count = batch.readInt32BE(BATCH.count);
    this.#offsets = batch.readInt32BE(BATCH.lastOffsetDelta) + 1;
    this.#baseOffset = baseOffset(batch);
    this.#baseTimestamp = batch.readBigInt64BE(BATCH.baseTimestamp);
    const byBroker = (batch.readInt16BE(BATCH.attributes) & ATTRIBUTES.appendTime) !== 0;
    this.#appendTime = byBroker ? batch.readBigInt64BE(BATCH.maxTimestamp) : undefined;
  }

  records(bytes: Buffer): LogRecord[] {
    if (this.#count !== this.#offsets) {
      throw new RangeError(`it has ${this.#count} records for ${this.#offsets} offsets; was the topic compacted?`);
    }
    const reader = new VarintReader(bytes);
    const records: LogRecord[] = [];
    for (let index = 0; index < this.#count; index += 1) {
      const end = reader.int() + reader.at;
      records.push(this.#record(reader, end, index));
      reader.at = end;
    }
    return records;
  }

  #record(reader: VarintReader, end: number, index: number): LogRecord {
    reader.skip(1); // attributes: none are defined
    const timestampDelta = reader.long();
    const offsetDelta = reader.int();
    if (offsetDelta !== index) throw new RangeError(`record ${index} says that it is record ${offsetDelta}`);
    const key = reader.bytes();
    const value = reader.bytes() ?? NO_BYTES;
    return {
      topic: this.#of.topic,
      partition: this.#of.partition,
      offset: this.#baseOffset + BigInt(offsetDelta),
      appendedAt: (this.#appendTime ?? this.#baseTimestamp + BigInt(timestampDelta)) * NANOS_PER_MILLI,
      key: key?.toString() ?? '',
      value,
      headers: this.#headersFrom(reader.take(end - reader.at)),
    };
  }

  /** Neighbours mostly have the same headers, and then share the object. */
  #headersFrom(bytes: Buffer): LogRecord['headers'] {
    if (!bytes.equals(this.#headerBytes)) {
      this.#headerBytes = bytes;
      this.#headers = decodeHeaders(bytes);
    }
    return this.#headers;
  }
}

function decodeHeaders(bytes: Buffer): LogRecord['headers'] {
  const reader = new VarintReader(bytes);
  const headers: [string, string][] = [];
  for (let left = reader.int(); left > 0; left -= 1) {
    headers.push([reader.bytes()?.toString() ?? '', reader.bytes()?.toString() ?? '']);
  }
  return Object.freeze(Object.fromEntries(headers));
}

export function damaged(of: TopicPartition, offset: bigint, what: string, cause?: unknown): MarketDataError {
  return new MarketDataError(
    'STORE_DAMAGED',
    `the batch at offset ${offset} of partition ${of.partition} of ${of.topic} ${what}`,
    { context: { ...of, offset: String(offset) }, cause },
  );
}

/** The offset of the batch's first record. */
export function baseOffset(batch: Buffer): bigint {
  return batch.readBigInt64BE(BATCH.baseOffset);
}
