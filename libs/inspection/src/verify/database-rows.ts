import type { MarketEvent } from '@aipx/market-model';
import type { HotReader, HotRowFilter, HotRowLine } from '@aipx/timescale';
import { RowCursor } from './row-cursor.js';

/** The rows of one table, partition by partition, out of a single scan of it. */
export class DatabaseRows {
  readonly #batches: AsyncIterator<readonly HotRowLine[]>;
  #rest: readonly HotRowLine[] = [];

  constructor(reader: HotReader, kind: MarketEvent['kind'], filter: HotRowFilter) {
    this.#batches = reader.rows(kind, filter);
  }

  /** Partitions are asked for in ascending order; rows of those left out, and those left over, are passed by. */
  of(partition: number): RowCursor {
    return new RowCursor(this.#rowsOf(partition));
  }

  async *#rowsOf(partition: number): AsyncGenerator<readonly HotRowLine[]> {
    for (;;) {
      const first = this.#rest.findIndex((row) => row.partition >= partition);
      const end = this.#rest.findIndex((row) => row.partition > partition);
      const rows = first < 0 ? [] : this.#rest.slice(first, end < 0 ? undefined : end);
      this.#rest = end < 0 ? [] : this.#rest.slice(end);
      if (rows.length > 0) yield rows;
      if (this.#rest.length > 0) return;
      const { done, value } = await this.#batches.next();
      if (done) return;
      this.#rest = value;
    }
  }
}
