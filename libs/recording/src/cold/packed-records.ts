import type { LogRecord } from '@aipx/event-log';

/**
 * Offsets and values of one partition's records in three pieces of memory, so that a batch crosses to another thread
 * without being copied. Keys and headers are not in it: what is stored follows from topic, offset and value.
 */
export interface PackedRecords {
  /** The values, one after the other. */
  readonly values: Uint8Array<ArrayBuffer>;
  /** Where each value ends in `values`. */
  readonly ends: Uint32Array<ArrayBuffer>;
  /** Ascending. */
  readonly offsets: BigInt64Array<ArrayBuffer>;
}

export interface PackedRecord {
  readonly offset: bigint;
  /** A view, valid as long as the pack is. */
  readonly value: Uint8Array;
}

const FIRST_BYTES = 64 * 1024;
const FIRST_ROWS = 1024;
/** Where it ends, and its offset. */
const BYTES_BESIDE_A_VALUE = Uint32Array.BYTES_PER_ELEMENT + BigInt64Array.BYTES_PER_ELEMENT;

/** Takes records in the order of their offsets and packs them. Copies each value, so that its source can be freed. */
export class RecordPacker {
  #values = new Uint8Array(FIRST_BYTES);
  #ends = new Uint32Array(FIRST_ROWS);
  #offsets = new BigInt64Array(FIRST_ROWS);
  #rows = 0;
  #bytes = 0;

  get rows(): number {
    return this.#rows;
  }

  /** Bytes of the values. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Bytes that the records take: keys and headers are let go. */
  get bytesHeld(): number {
    return this.#bytes + BYTES_BESIDE_A_VALUE * this.#rows;
  }

  append(record: Pick<LogRecord, 'offset' | 'value'>): void {
    this.#makeRoom(record.value.length);
    this.#values.set(record.value, this.#bytes);
    this.#bytes += record.value.length;
    this.#ends[this.#rows] = this.#bytes;
    this.#offsets[this.#rows] = record.offset;
    this.#rows += 1;
  }

  /** What was appended so far. The packer must not be used again. */
  pack(): PackedRecords {
    return {
      values: this.#values.subarray(0, this.#bytes),
      ends: this.#ends.subarray(0, this.#rows),
      offsets: this.#offsets.subarray(0, this.#rows),
    };
  }

  /** Moves what must grow, so that the old memory is freed at once: left to the garbage collector, it is as much again. */
  #makeRoom(bytes: number): void {
    if (this.#bytes + bytes > this.#values.length) {
      const length = Math.max(this.#values.length * 2, this.#bytes + bytes);
      this.#values = new Uint8Array(this.#values.buffer.transfer(length));
    }
    if (this.#rows < this.#offsets.length) return;
    this.#ends = new Uint32Array(this.#ends.buffer.transfer(this.#ends.byteLength * 2));
    this.#offsets = new BigInt64Array(this.#offsets.buffer.transfer(this.#offsets.byteLength * 2));
  }
}

export function packRecords(records: Iterable<Pick<LogRecord, 'offset' | 'value'>>): PackedRecords {
  const packer = new RecordPacker();
  for (const record of records) packer.append(record);
  return packer.pack();
}

export function* unpackRecords(packed: PackedRecords): Generator<PackedRecord> {
  let start = 0;
  for (const [row, offset] of packed.offsets.entries()) {
    const end = packed.ends[row];
    if (end === undefined) throw new TypeError(`a pack of ${packed.ends.length} values has ${row + 1} offsets or more`);
    yield { offset, value: packed.values.subarray(start, end) };
    start = end;
  }
}

/** The records from `offset` on. */
export function recordsFrom(packed: PackedRecords, offset: bigint): PackedRecords {
  if ((packed.offsets[0] ?? offset) >= offset) return packed;
  return packRecords([...unpackRecords(packed)].filter((record) => record.offset >= offset));
}

/** The memory to hand over when a pack is sent to another thread. The pack is empty here afterwards. */
export function transferList(packed: PackedRecords): ArrayBuffer[] {
  return [packed.values.buffer, packed.ends.buffer, packed.offsets.buffer];
}
