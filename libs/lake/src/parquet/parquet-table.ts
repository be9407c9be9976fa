import { zstdCompressSync } from 'node:zlib';
import type { SchemaElement } from 'hyparquet';
import { ByteWriter, ParquetWriter } from 'hyparquet-writer';
import type { Column } from './columns.js';

export type Compression = 'snappy' | 'zstd';

/** Fixed, so that equal rows are equal bytes. In the form in which readers look for a writer's known faults. */
const CREATED_BY = 'aipx-lake version 1.0.0';

/**
 * A Parquet file in the making, in memory. Rows are taken apart at once and written as soon as they make a row group,
 * so that a batch's events never exist all at the same time.
 */
export class ParquetTable<Input, Row = Input> {
  readonly #columns: readonly Column<Row>[];
  readonly #prepare: (input: Input) => Row;
  readonly #schema: readonly SchemaElement[];
  readonly #bytes = new ByteWriter();
  readonly #file: ParquetWriter;
  readonly #groupRows: number;
  #group: unknown[][];
  #rows = 0;

  /**
   * @param prepare what several columns share of a row, computed once
   * @param groupRows rows of a row group
   */
  constructor(
    columns: readonly Column<Row>[],
    prepare: (input: Input) => Row,
    { compression, groupRows }: { readonly compression: Compression; readonly groupRows: number },
  ) {
    this.#columns = columns;
    this.#prepare = prepare;
    this.#schema = [{ name: 'root', num_children: columns.length }, ...columns.flatMap(({ schema }) => schema)];
    this.#groupRows = groupRows;
    this.#group = columns.map(() => []);
    this.#file = new ParquetWriter({
      writer: this.#bytes,
      schema: this.#schema.map(withoutDecimalConversion),
      codec: compression === 'zstd' ? 'ZSTD' : 'SNAPPY',
      compressors: { ZSTD: (page) => zstdCompressSync(page) },
      createdBy: CREATED_BY,
    });
  }

  get rows(): number {
    return this.#rows;
  }

  append(input: Input): void {
    const row = this.#prepare(input);
    for (let index = 0; index < this.#columns.length; index += 1) {
      this.#group[index]?.push(this.#columns[index]?.value(row));
    }
    this.#rows += 1;
    if (this.#rows % this.#groupRows === 0) this.#writeGroup();
  }

  /** The whole file. The same rows in the same table give the same bytes. Nothing can be appended afterwards. */
  toBytes(): Uint8Array<ArrayBuffer> {
    if (this.#rows % this.#groupRows !== 0) this.#writeGroup();
    this.#file.schema = [...this.#schema];
    void this.#file.finish(); // in memory: done when it returns, as is `write`
    return new Uint8Array(this.#bytes.getBuffer());
  }

  #writeGroup(): void {
    const columnData = this.#columns.map(({ name, encoding, withoutStatistics }, index) => ({
      name,
      data: this.#group[index] ?? [],
      ...(encoding !== undefined && { encoding }),
      ...(withoutStatistics && { statistics: false }),
    }));
    void this.#file.write({ columnData, rowGroupSize: this.#groupRows });
    this.#group = this.#columns.map(() => []);
  }
}

/**
 * The writer converts each value of a column marked DECIMAL from bigint, digit by digit: nine times slower than taking
 * the bytes that `DecimalEncoder` made. So the mark is missing while values are written; the file itself gets it.
 */
function withoutDecimalConversion({ converted_type: convertedType, ...element }: SchemaElement): SchemaElement {
  return convertedType === undefined || convertedType === 'DECIMAL'
    ? element
    : { ...element, converted_type: convertedType };
}
