import { accessSync, constants, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { ReadLimits } from '@aipx/event-log';
import { MarketDataError } from '@aipx/market-model';
import { claimFolder, type FolderClaim } from './folder-claim.js';
import { MarkFile } from './mark-file.js';
import { Progress } from './progress.js';
import { decodeRecord, recordBytes } from './record.js';
import { MARK_FILE, Recovery, type Recovered } from './recovery.js';
import { SegmentCursor } from './segment-cursor.js';
import type { DamageStep, RecordStep } from './segment-reader.js';
import { SegmentStore } from './segment-store.js';
import type { Segment } from './segment.js';
import { SequenceRanges } from './sequence-ranges.js';
import type { SequenceRange, SpilledEntry, SpillEntry } from './spill-entry.js';
import { damageError, fileFault, openFault } from './spill-error.js';
import { checkedSizes, type SpillQueueOptions, type SpillSizes } from './spill-options.js';

export type { SpilledEntry, SpillEntry } from './spill-entry.js';
export type { SpillQueueOptions } from './spill-options.js';

export interface SpillWriteOptions {
  /** The caller sends these itself already: `read` does not give them out in this process. @default false */
  readonly handedOut?: boolean;
  /** May use the room kept free for Gaps and dead letters. @default false */
  readonly reserved?: boolean;
}

/**
 * One queue of records on disk, for the time that the event log is away: what is written is in the operating system's
 * hands when `write` returns, so it survives SIGKILL, and is given again to the next process unless it was acknowledged.
 * Everything here is synchronous.
 */
export class SpillQueue {
  readonly #folder: string;
  readonly #sizes: SpillSizes;
  readonly #onDamage: (error: MarketDataError) => void;
  readonly #claim: FolderClaim;
  readonly #markFile: MarkFile;
  readonly #store: SegmentStore;
  readonly #progress: Progress;
  readonly #cursor: SegmentCursor;
  readonly #handedOut = new SequenceRanges();
  /** What the mark file says; `undefined` when there is none. */
  #savedMark: number | undefined;
  #hasFault = false;
  #hasLost = false;
  #isClosed = false;

  /**
   * Opens the folder and reads all of it, as the last process left it.
   *
   * @throws {MarketDataError} `CONFIG_DATA_DIR_IN_USE`; `CONFIG_INVALID` for a folder that cannot be used or a wrong
   * size; `STORE_UNAVAILABLE`, retryable, when its disk does not do what is asked; `STORE_REFUSED` for files of another
   * format version
   */
  static open(options: SpillQueueOptions): SpillQueue {
    const { folder, onDamage = () => undefined } = options;
    const sizes = checkedSizes(options);
    let claim: FolderClaim | undefined;
    try {
      mkdirSync(folder, { recursive: true });
      accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
      claim = claimFolder(folder);
      const markFile = new MarkFile(join(folder, MARK_FILE));
      const saved = markFile.read();
      const recovered = new Recovery(folder, onDamage).run(saved);
      return new SpillQueue({ folder, sizes, onDamage, claim, markFile, savedMark: saved.mark, recovered });
    } catch (cause) {
      claim?.release();
      throw openFault(cause, folder);
    }
  }

  private constructor({ folder, sizes, onDamage, claim, markFile, savedMark, recovered }: SpillQueueParts) {
    this.#folder = folder;
    this.#sizes = sizes;
    this.#onDamage = onDamage;
    this.#claim = claim;
    this.#markFile = markFile;
    this.#savedMark = savedMark;
    this.#store = new SegmentStore({ folder, segmentBytes: sizes.segmentBytes, ...recovered });
    this.#progress = new Progress(recovered);
    this.#cursor = new SegmentCursor(this.#store, this.#onMissing);
    this.#settle();
  }

  get folder(): string {
    return this.#folder;
  }

  /** On the disk, all files together, damaged ones that were set aside included. */
  get bytes(): number {
    return this.#store.bytes;
  }

  /** Records that are not acknowledged. */
  get waiting(): number {
    return this.#progress.waiting;
  }

  get isEmpty(): boolean {
    return this.waiting === 0;
  }

  /**
   * Writes all entries or none, and returns their sequence numbers.
   *
   * @throws {MarketDataError} `STORE_FULL` beyond the queue's own bounds, retryable if the entries fit an empty queue;
   * `STORE_UNAVAILABLE`, retryable, when the disk is full or fails. The queue is as before then
   */
  write(entries: readonly SpillEntry[], { handedOut = false, reserved = false }: SpillWriteOptions = {}): bigint[] {
    this.#checkOpen();
    if (entries.length === 0) return [];
    const sizes = entries.map(recordBytes);
    const growth = this.#store.growth(sum(sizes));
    if (growth > this.#room(reserved)) throw this.#fullError(growth, reserved);
    const from = this.#progress.next;
    this.#saveFirstMark();
    this.#store.append(entries, sizes, from);
    this.#progress.extend(entries.length);
    if (handedOut) this.#handedOut.add({ from, to: this.#progress.next });
    return entries.map((_, index) => BigInt(from + index));
  }

  /** The caller sends these itself after all: `read` does not give them out in this process. In the order of writing. */
  handOut(sequences: readonly bigint[]): void {
    for (const sequence of sequences) this.#handedOut.add({ from: Number(sequence), to: Number(sequence) + 1 });
  }

  /** Whether so many entries would fit, in one write. */
  hasRoomFor(entries: readonly SpillEntry[], reserved = false): boolean {
    return this.#store.growth(sum(entries.map(recordBytes))) <= this.#room(reserved);
  }

  /**
   * The next entries in order that were not handed out yet; at least one if there is any, else none. `maxBytes` is
   * counted as they lie on the disk. A value is a view of up to 16 KiB, which it keeps in memory.
   *
   * @throws {MarketDataError} `STORE_UNAVAILABLE`, retryable, when the disk does not give them; none is skipped
   */
  read({ maxRecords, maxBytes }: ReadLimits): readonly SpilledEntry[] {
    this.#checkOpen();
    const found: SpilledEntry[] = [];
    try {
      for (let bytes = 0; found.length < maxRecords; this.#cursor.pass()) {
        const record = this.#cursor.peek();
        if (record === undefined) break;
        if (this.#progress.isDone(record.sequence) || this.#handedOut.has(record.sequence)) continue;
        bytes += record.bytes;
        if (bytes > maxBytes && found.length > 0) break;
        found.push(spilledEntry(record));
      }
    } catch (error) {
      // The cursor has passed what was found.
      if (found.length === 0) throw error;
    }
    this.#settleLost();
    return found;
  }

  /**
   * These are in the log. In any order; the mark moves over the unbroken prefix, and files that it has passed are removed.
   * A disk that fails is told to `onDamage` and tried again with the next call.
   *
   * @throws {MarketDataError} `STORE_REFUSED` for a sequence that was never written; nothing is acknowledged then
   */
  acknowledge(sequences: readonly bigint[]): void {
    this.#checkOpen();
    const unknown = sequences.find((sequence) => sequence < 0n || sequence >= this.#progress.next);
    if (unknown !== undefined) {
      throw new MarketDataError('STORE_REFUSED', `${this.#folder} has no record ${unknown} that could be acknowledged`);
    }
    for (const sequence of sequences) this.#progress.complete(Number(sequence));
    this.#settle();
  }

  /**
   * Everything that is not acknowledged, oldest first, up to what is written when it begins. What `read` gives next stays
   * the same.
   *
   * @throws {MarketDataError} `STORE_UNAVAILABLE`, retryable, when the disk does not give it
   */
  *entries(): Generator<SpilledEntry, void, undefined> {
    this.#checkOpen();
    const end = this.#progress.next;
    const cursor = new SegmentCursor(this.#store, this.#onMissing);
    try {
      for (let record = cursor.peek(); record !== undefined && record.sequence < end; record = cursor.peek()) {
        if (!this.#progress.isDone(record.sequence)) yield spilledEntry(record);
        this.#checkOpen();
        cursor.pass();
      }
    } finally {
      cursor.close();
    }
  }

  /** Waits for the disk and lets go of the folder. What waits stays for the next process. */
  close(): void {
    if (this.#isClosed) return;
    this.#settle();
    this.#isClosed = true;
    this.#cursor.close();
    try {
      this.#closeFiles();
    } catch (cause) {
      throw fileFault(cause, this.#folder);
    } finally {
      this.#claim.release();
    }
  }

  #closeFiles(): void {
    try {
      this.#store.close();
    } finally {
      this.#markFile.close();
    }
  }

  #room(reserved: boolean): number {
    return this.#most(reserved) - this.bytes;
  }

  #most(reserved: boolean): number {
    return this.#sizes.maxBytes - (reserved ? 0 : this.#sizes.reservedBytes);
  }

  #checkOpen(): void {
    if (this.#isClosed) throw new MarketDataError('STORE_REFUSED', `the spill queue in ${this.#folder} is closed`);
  }

  /** With the mark in place, a first file that goes missing is noticed. */
  #saveFirstMark(): void {
    if (this.#savedMark !== undefined) return;
    try {
      this.#saveMark();
    } catch (cause) {
      throw fileFault(cause, this.#folder);
    }
  }

  #saveMark(): void {
    const { mark } = this.#progress;
    if (mark === this.#savedMark) return;
    this.#markFile.write(mark);
    this.#savedMark = mark;
  }

  /** The mark before the files: a file that is missing above the mark would be damage. */
  #settle(): void {
    if (this.#progress.advance()) this.#handedOut.forgetBelow(this.#progress.mark);
    try {
      if (this.#store.hasFiles) this.#saveMark();
      this.#store.retire(this.#progress.mark, this.isEmpty, (segment) => this.#cursor.leave(segment));
      if (!this.#store.hasFiles && this.#savedMark !== undefined) {
        this.#markFile.remove();
        this.#savedMark = undefined;
      }
      this.#hasFault = false;
    } catch (cause) {
      const error = fileFault(cause, this.#folder);
      if (!(error instanceof MarketDataError)) throw error;
      if (!this.#hasFault) this.#onDamage(error);
      this.#hasFault = true;
    }
  }

  /** Found while reading: the file has changed since it was opened or written. */
  readonly #onMissing = (segment: Segment, { from, to }: SequenceRange, damage: DamageStep | undefined): void => {
    let records = 0;
    for (let at = this.#progress.afterHole(from); at < to; at = this.#progress.afterHole(at + 1)) {
      if (!this.#handedOut.has(at) && this.#progress.complete(at)) records += 1;
    }
    if (records === 0) return;
    segment.isDamaged = true;
    this.#hasLost = true;
    const { position, bytes } = damage ?? { position: segment.bytes, bytes: 0 };
    this.#onDamage(damageError({ path: segment.path, position, bytes, records }));
  };

  #settleLost(): void {
    if (!this.#hasLost) return;
    this.#hasLost = false;
    this.#settle();
  }

  #fullError(growth: number, reserved: boolean): MarketDataError {
    const most = this.#most(reserved);
    return new MarketDataError(
      'STORE_FULL',
      `the spill queue in ${this.#folder} holds ${this.bytes} of ${most} bytes, and ${growth} more do not fit; it shrinks as the event log takes records, and SPILL_MAX_BYTES bounds it`,
      { context: { folder: this.#folder, bytes: this.bytes, growth, most }, retryable: growth <= most },
    );
  }
}

interface SpillQueueParts {
  readonly folder: string;
  readonly sizes: SpillSizes;
  readonly onDamage: (error: MarketDataError) => void;
  readonly claim: FolderClaim;
  readonly markFile: MarkFile;
  readonly savedMark: number | undefined;
  readonly recovered: Recovered;
}

function spilledEntry({ sequence, chunk, at, bytes }: RecordStep): SpilledEntry {
  return { sequence: BigInt(sequence), entry: decodeRecord(chunk, at, bytes) };
}

function sum(sizes: readonly number[]): number {
  return sizes.reduce((total, size) => total + size, 0);
}
