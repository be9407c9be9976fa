import { existsSync, renameSync, rmSync } from 'node:fs';
import { SegmentWriter } from './segment-writer.js';
import { SEGMENT_HEADER_BYTES, segmentPath, type Segment } from './segment.js';
import { fileFault } from './spill-error.js';
import type { SpillEntry } from './spill-entry.js';

/** Follows the name of a damaged file whose readable records are all in the log. */
export const SET_ASIDE = '.damaged';

export interface SegmentStoreOptions {
  readonly folder: string;
  /** A new file is begun beyond this size. */
  readonly segmentBytes: number;
  /** Of earlier processes, ascending. They are read, but not written to any more. */
  readonly segments: readonly Segment[];
  /** Size of the files set aside. */
  readonly setAsideBytes: number;
}

/** The files, oldest first. The last one may be written to. */
export class SegmentStore {
  readonly folder: string;
  readonly #segmentBytes: number;
  readonly #segments: Segment[];
  #writer: SegmentWriter | undefined;
  #bytes: number;

  constructor({ folder, segmentBytes, segments, setAsideBytes }: SegmentStoreOptions) {
    this.folder = folder;
    this.#segmentBytes = segmentBytes;
    this.#segments = [...segments];
    this.#bytes = segments.reduce((sum, { bytes }) => sum + bytes, setAsideBytes);
  }

  /** Of all files, those set aside included. */
  get bytes(): number {
    return this.#bytes;
  }

  get hasFiles(): boolean {
    return this.#segments.length > 0;
  }

  /** By how much the files grow when records of `size` are written. */
  growth(size: number): number {
    return this.#fitsLast(size) ? size : size + SEGMENT_HEADER_BYTES;
  }

  /**
   * Writes all entries or none; they stay together in one file. After a failure a file with nothing but a header may
   * be there, for the next try.
   *
   * @throws {MarketDataError} `STORE_UNAVAILABLE`, retryable
   */
  append(entries: readonly SpillEntry[], sizes: readonly number[], firstSequence: number): void {
    const size = sizes.reduce((sum, each) => sum + each, 0);
    try {
      if (!this.#fitsLast(size)) this.#begin(firstSequence);
      this.#writer?.append(entries, sizes, firstSequence);
    } catch (cause) {
      throw fileFault(cause, this.folder);
    }
    const segment = this.#segments.at(-1);
    if (segment === undefined) return;
    segment.bytes += size;
    segment.end += entries.length;
    this.#bytes += size;
  }

  /** The file behind the one that begins with `first`, or behind where it was. */
  behind(first: number): Segment | undefined {
    return this.#segments.find((segment) => segment.first > first);
  }

  /** Clears away the files that end at or before `mark`; the one that is written to only when it is all that is left. */
  retire(mark: number, isAllDone: boolean, onRetired: (segment: Segment) => void): void {
    for (let segment = this.#segments[0]; segment !== undefined; segment = this.#segments[0]) {
      const isWritten = this.#writer !== undefined && this.#segments.length === 1;
      if (segment.end > mark || (isWritten && !isAllDone)) return;
      if (isWritten) this.#endWriting();
      this.#clearAway(segment);
      this.#segments.shift();
      onRetired(segment);
    }
  }

  /** Waits for the disk as far as the file goes that is written to; the system writes older ones by itself. */
  close(): void {
    try {
      this.#writer?.sync();
    } finally {
      this.#endWriting();
    }
  }

  #fitsLast(size: number): boolean {
    const last = this.#segments.at(-1);
    if (this.#writer === undefined || last === undefined) return false;
    return last.end === last.first || last.bytes + size <= this.#segmentBytes;
  }

  #begin(first: number): void {
    this.#endWriting();
    const path = segmentPath(this.folder, first);
    this.#writer = new SegmentWriter({ path, first });
    this.#segments.push({ path, first, end: first, bytes: SEGMENT_HEADER_BYTES, isDamaged: false });
    this.#bytes += SEGMENT_HEADER_BYTES;
  }

  #endWriting(): void {
    this.#writer?.close();
    this.#writer = undefined;
  }

  #clearAway({ path, bytes, isDamaged }: Segment): void {
    if (isDamaged && existsSync(path)) {
      renameSync(path, path + SET_ASIDE);
      return;
    }
    rmSync(path, { force: true });
    this.#bytes -= bytes;
  }
}
