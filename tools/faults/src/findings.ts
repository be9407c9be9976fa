const LONGEST_LIST = 50;

/** What must not be, beside rows that are lost or doubled. */
export class Findings {
  readonly #lines: string[] = [];
  #total = 0;

  get total(): number {
    return this.#total;
  }

  /** The first ones. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  add(line: string): void {
    this.#total += 1;
    if (this.#lines.length < LONGEST_LIST) this.#lines.push(line);
  }
}
