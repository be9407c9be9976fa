import { closeSync, fsyncSync, openSync, readFileSync, rmSync, writeSync, constants } from 'node:fs';
import { crc32 } from 'node:zlib';
import { errnoOf } from './spill-error.js';

/**
 * How far the queue is acknowledged: two slots, written in turn, so that one is good whatever happens to the other. A
 * slot, little endian: u32 magic "AXSM", u32 format version, u64 mark, u32 crc32 of those. Slots lie in disk sectors of
 * their own. The higher mark counts, for a mark only rises.
 */
const SLOT_POSITIONS = [0, 512] as const;
const SLOT_BYTES = 20;
const CRC_AT = 16;
const MAGIC = Buffer.from('AXSM', 'latin1').readUInt32LE();
const FORMAT_VERSION = 1;

export interface SavedMark {
  /** `undefined` when there is none that can be read. */
  readonly mark: number | undefined;
  /** A slot was written and cannot be read. */
  readonly isDamaged: boolean;
}

export class MarkFile {
  readonly path: string;
  readonly #slot = Buffer.alloc(SLOT_BYTES);
  #descriptor: number | undefined;
  #turn = 0;

  constructor(path: string) {
    this.path = path;
    this.#slot.writeUInt32LE(MAGIC);
    this.#slot.writeUInt32LE(FORMAT_VERSION, 4);
  }

  /** To be called once, before the first `write`, which then leaves the good slot alone. */
  read(): SavedMark {
    const content = contentOf(this.path);
    const marks = SLOT_POSITIONS.map((at) => markIn(content.subarray(at, at + SLOT_BYTES)));
    const [first, second] = marks;
    this.#turn = (first ?? -1) > (second ?? -1) ? 1 : 0;
    const mark = Math.max(first ?? -1, second ?? -1);
    const isDamaged = SLOT_POSITIONS.some(
      (at, index) => marks[index] === undefined && content.subarray(at, at + SLOT_BYTES).some((byte) => byte !== 0),
    );
    return { mark: mark < 0 ? undefined : mark, isDamaged };
  }

  write(mark: number): void {
    this.#descriptor ??= openSync(this.path, constants.O_RDWR | constants.O_CREAT);
    this.#slot.writeBigUInt64LE(BigInt(mark), 8);
    this.#slot.writeUInt32LE(crc32(this.#slot.subarray(0, CRC_AT)), CRC_AT);
    const position = SLOT_POSITIONS[this.#turn] ?? 0;
    for (let done = 0; done < SLOT_BYTES;) {
      done += writeSync(this.#descriptor, this.#slot, done, SLOT_BYTES - done, position + done);
    }
    this.#turn = 1 - this.#turn;
  }

  remove(): void {
    this.#close();
    rmSync(this.path, { force: true });
  }

  /** Waits for the disk. */
  close(): void {
    try {
      if (this.#descriptor !== undefined) fsyncSync(this.#descriptor);
    } finally {
      this.#close();
    }
  }

  #close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }
}

function contentOf(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return Buffer.alloc(0);
    throw error;
  }
}

function markIn(slot: Buffer): number | undefined {
  if (slot.length < SLOT_BYTES || slot.readUInt32LE() !== MAGIC) return undefined;
  if (slot.readUInt32LE(CRC_AT) !== crc32(slot.subarray(0, CRC_AT))) return undefined;
  return Number(slot.readBigUInt64LE(8));
}
