import { closeSync, fsyncSync, ftruncateSync, openSync, rmSync, writeSync } from 'node:fs';
import { encodeRecord } from './record.js';
import { SEGMENT_HEADER_BYTES, seedOf, segmentHeader, type Segment } from './segment.js';
import type { SpillEntry } from './spill-entry.js';

/** Records are put together here and written at once. One for all writers: writing never waits. */
const SCRATCH_BYTES = 256 * 1024;
const scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);

/** Writes to the end of one new file. */
export class SegmentWriter {
  readonly #descriptor: number;
  readonly #seed: number;
  /** What counts; bytes behind it are of a write that failed. */
  #bytes = SEGMENT_HEADER_BYTES;
  #hasLooseEnd = false;

  /** Makes the file with its header, or leaves none. */
  constructor({ path, first }: Pick<Segment, 'path' | 'first'>) {
    const header = segmentHeader(first);
    this.#seed = seedOf(header);
    // What may stand there is a leftover of a failed start: the name is above all that were found.
    this.#descriptor = openSync(path, 'w');
    try {
      this.#put(header, header.length, 0);
    } catch (error) {
      closeSync(this.#descriptor);
      rmSync(path, { force: true });
      throw error;
    }
  }

  /** All entries or none. `sizes` are theirs in the file. */
  append(entries: readonly SpillEntry[], sizes: readonly number[], firstSequence: number): void {
    if (this.#hasLooseEnd) this.#cutLooseEnd();
    this.#hasLooseEnd = true;
    try {
      this.#bytes = this.#write(entries, sizes, firstSequence);
      this.#hasLooseEnd = false;
    } catch (error) {
      this.#tryCutting();
      throw error;
    }
  }

  /** Waits for the disk. */
  sync(): void {
    fsyncSync(this.#descriptor);
  }

  close(): void {
    if (this.#hasLooseEnd) this.#tryCutting();
    closeSync(this.#descriptor);
  }

  /** Returns the position behind the last entry. */
  #write(entries: readonly SpillEntry[], sizes: readonly number[], firstSequence: number): number {
    let position = this.#bytes;
    let filled = 0;
    for (const [index, entry] of entries.entries()) {
      const size = sizes[index] ?? 0;
      if (filled + size > SCRATCH_BYTES) {
        position = this.#put(scratch, filled, position);
        filled = 0;
      }
      if (size > SCRATCH_BYTES) {
        const own = Buffer.allocUnsafe(size);
        position = this.#put(own, encodeRecord(own, 0, entry, firstSequence + index, this.#seed), position);
      } else {
        filled = encodeRecord(scratch, filled, entry, firstSequence + index, this.#seed);
      }
    }
    return this.#put(scratch, filled, position);
  }

  #put(bytes: Buffer, length: number, position: number): number {
    for (let done = 0; done < length;) {
      done += writeSync(this.#descriptor, bytes, done, length - done, position + done);
    }
    return position + length;
  }

  #cutLooseEnd(): void {
    ftruncateSync(this.#descriptor, this.#bytes);
    this.#hasLooseEnd = false;
  }

  /** What is not cut now is cut before the next write. */
  #tryCutting(): void {
    try {
      this.#cutLooseEnd();
    } catch {
      this.#hasLooseEnd = true;
    }
  }
}
