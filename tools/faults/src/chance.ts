import { seededRandom } from '@aipx/venue/simulation';

/** All choices of a run, each from a source of its own, so that one more choice here changes none there. */
export class Chance {
  readonly #random: () => number;

  constructor(seed: number, use: string) {
    this.#random = seededRandom(seed, use);
  }

  /** From `from` on, below `to`. */
  between(from: number, to: number): number {
    return from + this.#random() * (to - from);
  }

  /** A whole number from `from` to `to`, both included. */
  whole(from: number, to: number): number {
    return Math.floor(this.between(from, to + 1));
  }

  one<T>(choices: readonly T[]): T {
    const choice = choices[this.whole(0, choices.length - 1)];
    if (choice === undefined) throw new Error('there is nothing to choose from');
    return choice;
  }

  shuffled<T>(items: readonly T[]): T[] {
    return items
      .map((item) => ({ item, place: this.#random() }))
      .sort((a, b) => a.place - b.place)
      .map(({ item }) => item);
  }

  /** Shuffled rounds of all items, cut off at `count`: no item comes a second time before each has come once. */
  rounds<T>(items: readonly T[], count: number): T[] {
    const all: T[] = [];
    while (all.length < count) all.push(...this.shuffled(items));
    return all.slice(0, count);
  }
}
