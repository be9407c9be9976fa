/** The rows that stand at one offset: one, or several where something is doubled. */
export interface RowsAt {
  readonly offset: bigint;
  readonly lines: readonly string[];
}

interface Row {
  readonly offset: bigint;
  readonly line: string;
}

/** Walks over sorted rows, those of one offset together. Looking is free; only `fill` waits. */
export class RowCursor {
  readonly #batches: AsyncIterator<readonly Row[]>;
  #rows: readonly Row[] = [];
  #at = 0;
  #head: RowsAt | undefined;
  #ended = false;

  constructor(batches: AsyncIterable<readonly Row[]>) {
    this.#batches = batches[Symbol.asyncIterator]();
  }

  /** Over no rows at all. */
  static empty(): RowCursor {
    return new RowCursor(new ReadableStream({ start: (stream) => stream.close() }));
  }

  /** Whether `head` is only known after `fill`. */
  get needsFill(): boolean {
    return this.#head === undefined && !this.#ended;
  }

  /** `undefined` at the end. */
  get head(): RowsAt | undefined {
    return this.#head;
  }

  take(): void {
    this.#head = undefined;
    const row = this.#rows[this.#at];
    const next = this.#rows[this.#at + 1];
    // The last row of a batch may have its like in the next one.
    if (row === undefined || next === undefined || next.offset === row.offset) return;
    this.#at += 1;
    this.#head = { offset: row.offset, lines: [row.line] };
  }

  async fill(): Promise<void> {
    let lines: string[] | undefined;
    let offset = 0n;
    for (;;) {
      const row = this.#rows[this.#at];
      if (row === undefined) {
        const { done, value } = await this.#batches.next();
        if (done) break;
        this.#rows = value;
        this.#at = 0;
      } else if (lines === undefined) {
        lines = [row.line];
        offset = row.offset;
        this.#at += 1;
      } else if (row.offset === offset) {
        lines.push(row.line);
        this.#at += 1;
      } else break;
    }
    if (lines === undefined) this.#ended = true;
    else this.#head = { offset, lines };
  }
}
