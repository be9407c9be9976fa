const ROOM = 50;

/** Counts by name. Bounded: beyond its room, new names are counted together. */
export class Tally {
  readonly #counts = new Map<string, number>();

  add(name: string): void {
    const known = this.#counts.has(name) || this.#counts.size < ROOM ? name : 'others';
    this.#counts.set(known, (this.#counts.get(known) ?? 0) + 1);
  }

  get size(): number {
    return this.#counts.size;
  }

  /** `47 fields 312 times`, the most frequent first. */
  texts(): string[] {
    const entries = [...this.#counts].toSorted((a, b) => b[1] - a[1]);
    return entries.map(([name, count]) => `${name} ${count === 1 ? 'once' : `${count} times`}`);
  }

  get names(): readonly string[] {
    return [...this.#counts.keys()];
  }
}
