import type { SequenceRange } from './spill-entry.js';

/** Ranges that are added in ascending order and forgotten from below. */
export class SequenceRanges {
  #ranges: SequenceRange[] = [];

  add({ from, to }: SequenceRange): void {
    const last = this.#ranges.at(-1);
    if (last?.to === from) this.#ranges[this.#ranges.length - 1] = { from: last.from, to };
    else this.#ranges.push({ from, to });
  }

  has(sequence: number): boolean {
    return this.#ranges.some(({ from, to }) => sequence >= from && sequence < to);
  }

  forgetBelow(sequence: number): void {
    const first = this.#ranges[0];
    if (first !== undefined && first.to <= sequence) this.#ranges = this.#ranges.filter(({ to }) => to > sequence);
  }
}
