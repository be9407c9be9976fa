import { closeSync, openSync, readSync } from 'node:fs';
import {
  isCutRecord,
  isIntact,
  LEAST_RECORD_BYTES,
  RECORD_MAGIC,
  RECORD_PREFIX_BYTES,
  sequenceOf,
  sizeInPrefix,
} from './record.js';
import { refuseOtherVersion, SEGMENT_HEADER_BYTES, seedOf, segmentHeader, type Segment } from './segment.js';
import type { SequenceRange } from './spill-entry.js';

/** Read at once. Small, for each value that somebody still holds keeps its whole chunk in memory. */
const CHUNK_BYTES = 16 * 1024;
const NOTHING = Buffer.alloc(0);

export interface RecordStep {
  readonly kind: 'record';
  readonly sequence: number;
  readonly position: number;
  readonly bytes: number;
  /** Where it stands in memory. */
  readonly chunk: Buffer;
  readonly at: number;
}

export interface DamageStep {
  readonly kind: 'damage';
  readonly position: number;
  /** Up to the next good record, or the end. */
  readonly bytes: number;
  /** It is the beginning of something whose end was never written, and nothing follows. */
  readonly isCut: boolean;
}

/** Walks over the records of one file. What cannot be read is stepped over, up to the next record that can. */
export class SegmentReader {
  readonly #descriptor: number;
  readonly #header: Buffer;
  readonly #seed: number;
  #position = SEGMENT_HEADER_BYTES;
  /** A new one each time, for values are views of it. */
  #chunk = NOTHING;
  #chunkAt = 0;

  /** @throws {MarketDataError} `STORE_REFUSED` when the file is of another format version */
  constructor({ path, first }: Pick<Segment, 'path' | 'first'>) {
    this.#descriptor = openSync(path, 'r');
    this.#header = segmentHeader(first);
    this.#seed = seedOf(this.#header);
    try {
      this.#checkHeader(path);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** What comes next in the first `end` bytes of the file; `undefined` behind the last. Other sequences are damage. */
  next(end: number, sequences: SequenceRange): RecordStep | DamageStep | undefined {
    const position = this.#position;
    if (position >= end) return undefined;
    let found = this.#recordAt(position, end, sequences);
    if (found === undefined) {
      found = this.#findRecord(position + 1, end, sequences);
      this.#position = found?.position ?? end;
      const isCut = found === undefined && this.#isCut(position, end);
      return { kind: 'damage', position, bytes: this.#position - position, isCut };
    }
    this.#position += found.bytes;
    return found;
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  /** A bad header is damage like any other: reading begins with it. */
  #checkHeader(path: string): void {
    this.#load(0, SEGMENT_HEADER_BYTES, SEGMENT_HEADER_BYTES);
    const found = this.#chunk.subarray(0, SEGMENT_HEADER_BYTES);
    refuseOtherVersion(path, found);
    if (!found.equals(this.#header)) this.#position = 0;
  }

  #recordAt(position: number, end: number, { from, to }: SequenceRange): RecordStep | undefined {
    if (end - position < LEAST_RECORD_BYTES || !this.#load(position, RECORD_PREFIX_BYTES, end)) return undefined;
    const bytes = sizeInPrefix(this.#chunk, position - this.#chunkAt);
    if (bytes === undefined || position + bytes > end || !this.#load(position, bytes, end)) return undefined;
    const at = position - this.#chunkAt;
    if (!isIntact(this.#chunk, at, bytes, this.#seed)) return undefined;
    const sequence = sequenceOf(this.#chunk, at);
    if (sequence < from || sequence >= to) return undefined;
    return { kind: 'record', sequence, position, bytes, chunk: this.#chunk, at };
  }

  #findRecord(from: number, end: number, sequences: SequenceRange): RecordStep | undefined {
    for (let position = from; this.#load(position, RECORD_MAGIC.length, end); position += 1) {
      const at = this.#chunk.indexOf(RECORD_MAGIC, position - this.#chunkAt);
      if (at < 0) {
        // Its last bytes may be the beginning of one.
        position = this.#chunkAt + this.#chunk.length - RECORD_MAGIC.length;
        continue;
      }
      position = this.#chunkAt + at;
      const found = this.#recordAt(position, end, sequences);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #isCut(position: number, end: number): boolean {
    const remaining = end - position;
    this.#load(position, Math.min(remaining, RECORD_PREFIX_BYTES), end);
    const bytes = this.#chunk.subarray(position - this.#chunkAt);
    if (position > 0) return isCutRecord(bytes, remaining);
    return remaining < SEGMENT_HEADER_BYTES && this.#header.subarray(0, remaining).equals(bytes.subarray(0, remaining));
  }

  /** Has these bytes of the file in memory; false when they are not there. Reads ahead, but not beyond `end`. */
  #load(position: number, bytes: number, end: number): boolean {
    if (position + bytes > end) return false;
    const at = position - this.#chunkAt;
    if (at >= 0 && at + bytes <= this.#chunk.length) return true;
    const chunk = Buffer.allocUnsafeSlow(Math.min(Math.max(CHUNK_BYTES, bytes), end - position));
    let length = 0;
    while (length < chunk.length) {
      const read = readSync(this.#descriptor, chunk, length, chunk.length - length, position + length);
      if (read === 0) break;
      length += read;
    }
    this.#chunk = chunk.subarray(0, length);
    this.#chunkAt = position;
    return length >= bytes;
  }
}
