import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parquetMetadata, readOffsetIndex, type ColumnChunk } from 'hyparquet';
import { expect } from 'vitest';
import type { Column } from '../../src/parquet/columns.js';
import { ParquetTable, type Compression } from '../../src/parquet/parquet-table.js';
import { tempFolder } from './temp-folder.js';

export interface TableOptions {
  readonly compression?: Compression;
  readonly groupRows?: number;
}

export interface WrittenTable {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The same bytes as a file, until the test ends. */
  readonly path: string;
}

/** A file of these columns alone, so that a test can have the pages and the row groups that it wants. */
export async function writeTable<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  { compression = 'snappy', groupRows = 1_000_000 }: TableOptions = {},
): Promise<WrittenTable> {
  const table = new ParquetTable(columns, { compression, groupRows });
  for (const row of rows) table.append(row);
  const bytes = table.toBytes();
  const path = join(await tempFolder(), 'table.parquet');
  await writeFile(path, bytes);
  return { bytes, path };
}

/** How a leaf is stored in the first row group, and where its pages lie. */
export function chunkOf(bytes: Uint8Array<ArrayBuffer>, leaf: string) {
  const {
    encodings,
    data_page_offset: begin,
    total_compressed_size: length,
  } = columnOf(bytes, leaf).meta_data ?? expect.fail();
  return { encodings, begin: Number(begin), end: Number(begin + length) };
}

/** The row with which each page of a leaf begins, in the first row group. */
export function firstRowsOf(bytes: Uint8Array<ArrayBuffer>, leaf: string): readonly number[] {
  const { offset_index_offset: begin, offset_index_length: length } = columnOf(bytes, leaf);
  if (begin === undefined || length === undefined) return [0];
  const view = new DataView(bytes.buffer, Number(begin), length);
  return readOffsetIndex({ view, offset: 0 }).page_locations.map(({ first_row_index: row }) => Number(row));
}

function columnOf(bytes: Uint8Array<ArrayBuffer>, leaf: string): ColumnChunk {
  const columns = parquetMetadata(bytes.buffer).row_groups[0]?.columns;
  return (
    columns?.find(({ meta_data: data }) => data?.path_in_schema.join('.') === leaf) ?? expect.fail(`no leaf ${leaf}`)
  );
}
