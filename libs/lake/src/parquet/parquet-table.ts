import { zstdCompressSync } from 'node:zlib';
import { ByteWriter, ParquetWriter } from 'hyparquet-writer';
import { snappyCompress } from 'hyparquet-writer/src/snappy.js';
import { writeChunk, type PageCompression } from './column-chunk.js';
import type { Column } from './columns.js';

export type Compression = 'snappy' | 'zstd';

const COMPRESSIONS: Readonly<Record<Compression, PageCompression>> = {
  snappy: { codec: 'SNAPPY', compress: snappyCompress },
  zstd: { codec: 'ZSTD', compress: (page) => zstdCompressSync(page) },
};

/**
 * The encoder, in the form in which readers look for a writer's known faults. A change of the bytes that equal rows become
 * goes with another version, so that a file tells which encoder made it.
 */
const CREATED_BY = 'aipx-lake version 1.1.0';

/**
 * A Parquet file in the making, in memory. Rows are taken apart at once and written as soon as they make a row group,
 * so that a batch's events never exist all at the same time.
 */
export class ParquetTable<Row> {
  readonly #columns: readonly Column<Row>[];
  readonly #compression: PageCompression;
  readonly #groupRows: number;
  readonly #bytes = new ByteWriter();
  readonly #file: ParquetWriter;
  #rows = 0;
  /** Of the group that fills. */
  #filled = 0;

  /**
   * @param columns of this table only
   * @param options.groupRows rows of a row group
   */
  constructor(
    columns: readonly Column<Row>[],
    { compression, groupRows }: { readonly compression: Compression; readonly groupRows: number },
  ) {
    this.#columns = columns;
    this.#compression = COMPRESSIONS[compression];
    this.#groupRows = groupRows;
    this.#file = new ParquetWriter({
      writer: this.#bytes,
      schema: [{ name: 'root', num_children: columns.length }, ...columns.flatMap(({ schema }) => schema)],
      createdBy: CREATED_BY,
    });
  }

  get rows(): number {
    return this.#rows;
  }

  append(row: Row): void {
    for (const column of this.#columns) column.append(row);
    this.#rows += 1;
    this.#filled += 1;
    if (this.#filled === this.#groupRows) this.#writeGroup();
  }

  /**
   * The whole file. The same rows in the same table give the same bytes, in one version of the encoder. Nothing can be
   * appended afterwards.
   */
  toBytes(): Uint8Array<ArrayBuffer> {
    if (this.#filled > 0) this.#writeGroup();
    void this.#file.finish(); // in memory: done when it returns
    return new Uint8Array(this.#bytes.getBuffer());
  }

  #writeGroup(): void {
    const begin = this.#bytes.offset;
    const rows = this.#filled;
    const leaves = this.#columns.flatMap((column) => column.leaves);
    const written = leaves.map((leaf) => writeChunk(this.#bytes, leaf, rows, this.#compression));
    const columns = written.map(({ chunk }) => chunk);
    this.#file.pendingIndexes.push(...written);
    this.#file.num_rows += BigInt(rows);
    this.#file.row_groups.push({
      columns,
      num_rows: BigInt(rows),
      total_byte_size: columns.reduce((sum, { meta_data: chunk }) => sum + (chunk?.total_uncompressed_size ?? 0n), 0n),
      total_compressed_size: BigInt(this.#bytes.offset - begin),
    });
    for (const { values, levels } of leaves) {
      values.clear();
      levels?.clear();
    }
    this.#filled = 0;
  }
}
