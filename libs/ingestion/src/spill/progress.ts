import type { SequenceRange } from './spill-entry.js';

const BLOCK_SEQUENCES = 32_768;
const WORD_SEQUENCES = 32;

export interface ProgressStart {
  readonly mark: number;
  readonly next: number;
  readonly waiting: number;
  /** Not there to be read, ascending: they count as done. */
  readonly holes: readonly SequenceRange[];
}

/** Which sequences are done: all below the mark, and single ones above it, at one bit each. */
export class Progress {
  readonly #holes: readonly SequenceRange[];
  readonly #blocks = new Map<number, Uint32Array>();
  #mark: number;
  #next: number;
  #waiting: number;

  constructor({ mark, next, waiting, holes }: ProgressStart) {
    this.#mark = mark;
    this.#next = next;
    this.#waiting = waiting;
    this.#holes = holes;
  }

  /** The first sequence that is not done, once `advance` was called. */
  get mark(): number {
    return this.#mark;
  }

  /** The sequence that the next new record gets. */
  get next(): number {
    return this.#next;
  }

  get waiting(): number {
    return this.#waiting;
  }

  /** New records take the next sequences. */
  extend(records: number): void {
    this.#next += records;
    this.#waiting += records;
  }

  isDone(sequence: number): boolean {
    return sequence < this.#mark || this.#hasBit(sequence) || this.afterHole(sequence) !== sequence;
  }

  /** @returns whether it was not done before */
  complete(sequence: number): boolean {
    if (this.isDone(sequence)) return false;
    const blockIndex = Math.floor(sequence / BLOCK_SEQUENCES);
    let block = this.#blocks.get(blockIndex);
    if (block === undefined) {
      block = new Uint32Array(BLOCK_SEQUENCES / WORD_SEQUENCES);
      this.#blocks.set(blockIndex, block);
    }
    const index = sequence % BLOCK_SEQUENCES;
    const word = Math.floor(index / WORD_SEQUENCES);
    block[word] = (block[word] ?? 0) | (1 << (index % WORD_SEQUENCES));
    this.#waiting -= 1;
    return true;
  }

  /** The sequence itself, or the first behind the hole that it lies in. */
  afterHole(sequence: number): number {
    for (const { from, to } of this.#holes) if (sequence >= from && sequence < to) return to;
    return sequence;
  }

  /** Moves the mark over what is done. @returns whether it moved */
  advance(): boolean {
    const before = this.#mark;
    for (;;) {
      const behind = this.#hasBit(this.#mark) ? this.#mark + 1 : this.afterHole(this.#mark);
      if (behind === this.#mark) break;
      this.#mark = behind;
    }
    if (this.#mark !== before) this.#forgetBlocks();
    return this.#mark !== before;
  }

  #hasBit(sequence: number): boolean {
    const block = this.#blocks.get(Math.floor(sequence / BLOCK_SEQUENCES));
    if (block === undefined) return false;
    const index = sequence % BLOCK_SEQUENCES;
    return ((block[Math.floor(index / WORD_SEQUENCES)] ?? 0) & (1 << (index % WORD_SEQUENCES))) !== 0;
  }

  #forgetBlocks(): void {
    const first = Math.floor(this.#mark / BLOCK_SEQUENCES);
    for (const index of this.#blocks.keys()) if (index < first) this.#blocks.delete(index);
  }
}
