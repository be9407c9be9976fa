import type { ColumnChunk, CompressionCodec, Encoding, OffsetIndex } from 'hyparquet';
import { ByteWriter, type Writer } from 'hyparquet-writer';
import { writePageHeader } from 'hyparquet-writer/src/datapage.js';
import { writeRleBitPackedHybrid } from 'hyparquet-writer/src/encoding.js';
import type { Bounds, EncodedValues } from './encoded-values.js';
import type { Leaf } from './leaf.js';
import { pagesOf, type Page } from './pages.js';

export interface PageCompression {
  readonly codec: CompressionCodec;
  readonly compress: (page: Uint8Array) => Uint8Array;
}

export interface WrittenChunk {
  readonly chunk: ColumnChunk;
  /** Where each page lies, when there are several. */
  readonly offsetIndex?: OffsetIndex;
}

/**
 * Writes what a leaf has of a row group. hyparquet-writer takes a JavaScript value for each cell and looks at each several
 * times; here the values are in arrays already, sorted out while they came. The pieces of the format are the library's.
 */
export function writeChunk(file: Writer, leaf: Leaf, rows: number, compression: PageCompression): WrittenChunk {
  const values = leaf.values.encoded();
  const pages = pagesOf(leaf, values, rows);
  const entries = leaf.levels?.entries ?? rows;
  const begin = file.offset;
  const dictionaryBytes = writeDictionary(file, values, compression);
  const firstPage = file.offset;
  const written = pages.map((page) => writePage(file, { leaf, values, page }, compression));
  const chunk: ColumnChunk = {
    file_offset: BigInt(begin),
    meta_data: {
      type: leaf.element.type,
      encodings: values.dictionary === undefined ? [values.encoding] : ['PLAIN', values.encoding],
      path_in_schema: [...leaf.path],
      codec: compression.codec,
      num_values: BigInt(entries),
      total_compressed_size: BigInt(file.offset - begin),
      total_uncompressed_size: BigInt(dictionaryBytes + sum(written.map(({ bytes }) => bytes))),
      data_page_offset: BigInt(firstPage),
      ...(values.dictionary !== undefined && { dictionary_page_offset: BigInt(begin) }),
      ...statisticsOf(values.bounds, entries - (pages.at(-1)?.values[1] ?? 0)),
      encoding_stats: encodingStats(values, pages.length),
    },
  };
  if (pages.length === 1) return { chunk };
  return { chunk, offsetIndex: { page_locations: written.map(({ location }) => location) } };
}

/** @returns bytes with the header, before compression */
function writeDictionary(file: Writer, { dictionary }: EncodedValues, { compress }: PageCompression): number {
  if (dictionary === undefined) return 0;
  const begin = file.offset;
  const compressed = compress(dictionary.bytes);
  writePageHeader(file, {
    type: 'DICTIONARY_PAGE',
    uncompressed_page_size: dictionary.bytes.byteLength,
    compressed_page_size: compressed.byteLength,
    dictionary_page_header: { num_values: dictionary.values, encoding: 'PLAIN' },
  });
  const header = file.offset - begin;
  file.appendBytes(compressed);
  return header + dictionary.bytes.byteLength;
}

interface PageSource {
  readonly leaf: Leaf;
  readonly values: EncodedValues;
  readonly page: Page;
}

interface WrittenPage {
  /** With the header, before compression. */
  readonly bytes: number;
  readonly location: OffsetIndex['page_locations'][number];
}

function writePage(file: Writer, source: PageSource, { compress }: PageCompression): WrittenPage {
  const { levels } = source.leaf;
  const { entries, values, rows } = source.page;
  const begin = file.offset;
  const levelBytes = new ByteWriter();
  const repetitionLength = writeLevels(levelBytes, levels?.repetition, levels?.mostRepetition ?? 0, entries);
  const definitionLength = writeLevels(levelBytes, levels?.definition, levels?.mostDefinition ?? 0, entries);
  const plain = new ByteWriter();
  source.values.writeTo(plain, ...values);
  const compressed = compress(plain.getBytes());
  const count = entries[1] - entries[0];
  writePageHeader(file, {
    type: 'DATA_PAGE_V2',
    uncompressed_page_size: levelBytes.offset + plain.offset,
    compressed_page_size: levelBytes.offset + compressed.byteLength,
    data_page_header_v2: {
      num_values: count,
      num_nulls: count - (values[1] - values[0]),
      num_rows: rows[1] - rows[0],
      encoding: source.values.encoding,
      definition_levels_byte_length: definitionLength,
      repetition_levels_byte_length: repetitionLength,
      is_compressed: true,
    },
  });
  const header = file.offset - begin;
  file.appendBytes(levelBytes.getBytes());
  file.appendBytes(compressed);
  return {
    bytes: header + levelBytes.offset + plain.offset,
    location: {
      offset: BigInt(begin),
      compressed_page_size: file.offset - begin,
      first_row_index: BigInt(rows[0]),
    },
  };
}

/** @returns the bytes that they took: none where there is only one level */
function writeLevels(to: Writer, levels: Uint8Array | undefined, most: number, [begin, end]: Page['entries']): number {
  if (levels === undefined || most === 0) return 0;
  return writeRleBitPackedHybrid(to, levels.subarray(begin, end), 32 - Math.clz32(most));
}

function statisticsOf(bounds: Bounds | undefined, nulls: number) {
  if (bounds === undefined) return {};
  const { min, max } = bounds;
  const edges = min !== undefined && max !== undefined && { min_value: min, max_value: max };
  return { statistics: { ...edges, null_count: BigInt(nulls) } };
}

function encodingStats({ dictionary, encoding }: EncodedValues, pages: number) {
  const dataPages = { page_type: 'DATA_PAGE_V2', encoding, count: pages } as const;
  if (dictionary === undefined) return [dataPages];
  return [{ page_type: 'DICTIONARY_PAGE', encoding: 'PLAIN' as Encoding, count: 1 } as const, dataPages];
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
