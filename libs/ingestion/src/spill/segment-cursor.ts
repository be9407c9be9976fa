import { SegmentReader, type DamageStep, type RecordStep } from './segment-reader.js';
import type { SegmentStore } from './segment-store.js';
import type { Segment } from './segment.js';
import { errnoOf, fileFault } from './spill-error.js';
import type { SequenceRange } from './spill-entry.js';

/** Records that should be there and are not; `damage` where bytes of the file stand in their place. */
export type OnMissing = (segment: Segment, missing: SequenceRange, damage: DamageStep | undefined) => void;

/** Goes over the records of all files in order, and on to those written meanwhile. */
export class SegmentCursor {
  readonly #store: SegmentStore;
  readonly #onMissing: OnMissing;
  #segment: Segment | undefined;
  /** `undefined` when the file is gone. */
  #reader: SegmentReader | undefined;
  /** Where it is, when its file was cleared away. */
  #first = -1;
  #expected = 0;
  #damage: DamageStep | undefined;
  #step: RecordStep | undefined;

  constructor(store: SegmentStore, onMissing: OnMissing) {
    this.#store = store;
    this.#onMissing = onMissing;
  }

  /**
   * The record it stands before; `undefined` behind the last.
   *
   * @throws {MarketDataError} `STORE_UNAVAILABLE`, retryable, when the disk does not give its bytes
   */
  peek(): RecordStep | undefined {
    while (this.#step === undefined) {
      try {
        if (!this.#readOn() && !this.#enterNext()) return undefined;
      } catch (cause) {
        throw fileFault(cause, this.#store.folder);
      }
    }
    return this.#step;
  }

  /** Goes on behind the record that `peek` gave. */
  pass(): void {
    this.#step = undefined;
  }

  /** The file is cleared away: lets go of it, so that the disk gets its room back. */
  leave(segment: Segment): void {
    if (this.#segment === segment) this.close();
  }

  close(): void {
    this.#reader?.close();
    this.#reader = undefined;
    this.#segment = undefined;
    this.#damage = undefined;
    this.#step = undefined;
  }

  /** @returns false at the end of the file */
  #readOn(): boolean {
    const segment = this.#segment;
    if (segment === undefined) return false;
    const sequences = { from: this.#expected, to: segment.end };
    const step = this.#reader?.next(segment.bytes, sequences);
    if (step?.kind === 'damage') {
      this.#damage = step;
      return true;
    }
    const at = step?.sequence ?? segment.end;
    if (this.#expected < at) this.#onMissing(segment, { from: this.#expected, to: at }, this.#damage);
    this.#damage = undefined;
    this.#expected = step === undefined ? at : at + 1;
    this.#step = step;
    return step !== undefined;
  }

  #enterNext(): boolean {
    const next = this.#store.behind(this.#first);
    if (next === undefined) return false;
    const reader = openIfThere(next);
    this.close();
    this.#segment = next;
    this.#reader = reader;
    this.#first = next.first;
    this.#expected = next.first;
    return true;
  }
}

function openIfThere(segment: Segment): SegmentReader | undefined {
  try {
    return new SegmentReader(segment);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
