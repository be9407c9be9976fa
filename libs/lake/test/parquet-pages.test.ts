import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseDecimal, type Decimal, type Level, type OrderBook } from '@aipx/market-model';
import { encodeEvent, EVENT_TOPICS } from '@aipx/market-proto';
import { packRecords } from '@aipx/recording';
import { parquetMetadata, parquetReadObjects } from 'hyparquet';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeBatch } from '../src/parquet/encode-batch.js';
import { query, type Row } from './support/duckdb.js';
import { book, gap, tick } from './support/events.js';
import { chunkOf, firstRowsOf } from './support/parquet-table.js';
import { tempFolder } from './support/temp-folder.js';

const TOO_FINE = '0.1234567890123';
/** More than a row group of books. */
const BOOKS = 10_300;
const DEPTHS = [15, 0, 1, 5, 30];
const QUANTITIES = 'bids.list.element.quantity';

/** Sides of every depth in turn. Each quantity differs, so that its column is stored without a dictionary. */
function side(row: number, direction: 1 | -1): Level[] {
  return Array.from({ length: DEPTHS[row % DEPTHS.length] ?? 0 }, (_, level) => ({
    price: parseDecimal(String(1_000 + direction * level)),
    quantity: parseDecimal(row % 97 === 0 && level === 3 ? TOO_FINE : `${row + 1}.${level + 1}1`),
  }));
}

function manyBooks(): OrderBook[] {
  return Array.from({ length: BOOKS }, (_, row) => {
    const totals = row % 3 === 0 ? { totalBidQuantity: undefined, totalAskQuantity: undefined } : {};
    return book({ bids: side(row, -1), asks: side(row + 1, 1), symbol: `KRW-${row % 7}`, ...totals });
  });
}

function fileOf(topic: string, values: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const records = packRecords(values.map((value, index) => ({ offset: BigInt(index), value })));
  const { hours } = encodeBatch({ partition: { topic, partition: 3 }, records, compression: 'snappy' });
  return hours[0]?.bytes ?? expect.fail('no file was made');
}

/** A side as DuckDB prints it: twelve digits behind the point, and null for what does not fit. */
function inDuckDb(side: readonly Level[]): string {
  const levels = side.map(({ price, quantity }) => `{'price': ${padded(price)}, 'quantity': ${padded(quantity)}}`);
  return `[${levels.join(', ')}]`;
}

function padded(value: Decimal): string {
  if (value === TOO_FINE) return 'NULL';
  const [whole = '', fraction = ''] = value.split('.');
  return `${whole}.${fraction.padEnd(12, '0')}`;
}

/** A side as hyparquet has it: in doubles. */
function inHyparquet(side: readonly Level[]): string {
  const double = (value: Decimal) => (value === TOO_FINE ? null : Number(padded(value).replace('.', '')) * 1e-12);
  return JSON.stringify(side.map(({ price, quantity }) => ({ price: double(price), quantity: double(quantity) })));
}

describe('a file of more books than a row group and more levels than a page', () => {
  const books = manyBooks();
  let bytes: Uint8Array<ArrayBuffer>;
  let folder: string;
  let path: string;
  beforeAll(async () => {
    bytes = fileOf(
      EVENT_TOPICS.orderbook,
      books.map((event) => encodeEvent(event)),
    );
    folder = await mkdtemp(join(tmpdir(), 'aipx-lake-'));
    path = join(folder, 'books.parquet');
    await writeFile(path, bytes);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('has row groups of 10,000 books, and pages beside dictionaries', async () => {
    const { row_groups: groups } = parquetMetadata(bytes.buffer);
    expect(groups.map(({ num_rows: rows }) => rows)).toEqual([10_000n, 300n]);
    expect(chunkOf(bytes, QUANTITIES).encodings).toEqual(['PLAIN']);
    expect(firstRowsOf(bytes, QUANTITIES).length).toBeGreaterThan(1);
    expect(chunkOf(bytes, 'bids.list.element.price').encodings).toEqual(['PLAIN', 'RLE_DICTIONARY']);
  });

  it('is read by DuckDB level by level', async () => {
    const rows = await query(
      `SELECT bids::VARCHAR AS bids, asks::VARCHAR AS asks, symbol, total_bid_quantity AS total FROM '${path}' ORDER BY log_offset`,
    );
    const stored = books.map(({ bids, asks, symbol, totalBidQuantity }): Row => {
      const total = totalBidQuantity === undefined ? null : padded(totalBidQuantity);
      return { bids: inDuckDb(bids), asks: inDuckDb(asks), symbol, total };
    });
    expect(rows).toEqual(stored);
  });

  it('is read by hyparquet as by DuckDB, as far as its doubles go', async () => {
    const rows = await parquetReadObjects({ file: bytes.buffer, columns: ['bids', 'log_offset', 'symbol'] });
    const stored = books.map(({ bids, symbol }, row) => ({ bids: inHyparquet(bids), log_offset: BigInt(row), symbol }));
    expect(rows.map((row) => ({ ...row, bids: JSON.stringify(row['bids'], undefinedAsNull) }))).toEqual(stored);
  });

  it.each([-5, 0, 1, 1_000])('is read by rows, from %i rows beside the begin of a page on', async (beside) => {
    const rowStart = lastPageOf(bytes) + beside;
    const stored = books.slice(rowStart, rowStart + 10).map(({ bids }, index) => {
      return { bids: inHyparquet(bids), log_offset: BigInt(rowStart + index) };
    });
    const { rows } = await seek(bytes, rowStart);
    expect(rows).toEqual(stored);
  });

  it('is read by rows without the pages before', async () => {
    const { ranges } = await seek(bytes, lastPageOf(bytes));
    const { begin, end } = chunkOf(bytes, QUANTITIES);
    const inChunk = ranges.filter(([from, to]) => from < end && to > begin);
    expect(inChunk.length).toBeGreaterThan(0);
    expect(inChunk.every(([from]) => from > begin)).toBe(true);
  });

  it.each(['the begin of a page', 'the end of a row group'])('is filtered by DuckDB around %s', async (where) => {
    const from = (where === 'the begin of a page' ? lastPageOf(bytes) : 10_000) - 2;
    const rows = await query(
      `SELECT log_offset, bids::VARCHAR AS bids FROM '${path}' WHERE log_offset BETWEEN ${from} AND ${from + 4} ORDER BY log_offset`,
    );
    const stored = books.slice(from, from + 5).map(({ bids }, index) => {
      return { log_offset: String(from + index), bids: inDuckDb(bids) };
    });
    expect(rows).toEqual(stored);
  });

  it('tells readers what each row group holds of a symbol and a time', async () => {
    const [symbols] = await query(
      `SELECT min(stats_min_value) AS low, max(stats_max_value) AS high, sum(stats_null_count) AS nulls
       FROM parquet_metadata('${path}') WHERE path_in_schema = 'symbol'`,
    );
    expect(symbols).toEqual({ low: 'KRW-0', high: 'KRW-6', nulls: '0' });
  });
});

/** In the first row group. */
function lastPageOf(bytes: Uint8Array<ArrayBuffer>): number {
  return firstRowsOf(bytes, QUANTITIES).at(-1) || expect.fail('there is one page only');
}

/** Ten rows by hyparquet, and which ranges of the file it read. */
async function seek(bytes: Uint8Array<ArrayBuffer>, rowStart: number) {
  const ranges: (readonly [from: number, to: number])[] = [];
  const file = {
    byteLength: bytes.byteLength,
    slice: (from: number, to = bytes.byteLength) => {
      ranges.push([from, to]);
      return bytes.buffer.slice(from, to);
    },
  };
  const metadata = parquetMetadata(bytes.buffer);
  const columns = ['bids', 'log_offset'];
  const rows = await parquetReadObjects({
    file,
    metadata,
    columns,
    rowStart,
    rowEnd: rowStart + 10,
    useOffsetIndex: true,
  });
  return { rows: rows.map((row) => ({ ...row, bids: JSON.stringify(row['bids'], undefinedAsNull) })), ranges };
}

function undefinedAsNull(_key: string, value: unknown): unknown {
  return value ?? null;
}

describe('a file of ticks', () => {
  it('keeps texts of any alphabet, and bounds that are in the order of their characters', async () => {
    const symbols = ['KRW-BTC', '삼성전자', 'é', '𝄞', 'Z', '한', ''];
    const tradeIds = symbols.map((symbol, index) => `${symbol}${index}`);
    const path = join(await tempFolder(), 'ticks.parquet');
    const events = tradeIds.map((tradeId, index) => tick({ tradeId, symbol: symbols[index] || 'x' }));
    await writeFile(
      path,
      fileOf(
        EVENT_TOPICS.tick,
        events.map((event) => encodeEvent(event)),
      ),
    );
    const rows = await query(`SELECT trade_id, symbol FROM '${path}' ORDER BY log_offset`);
    expect(rows).toEqual(events.map(({ tradeId, symbol }) => ({ trade_id: tradeId, symbol })));
    const [bounds] = await query(
      `SELECT stats_min_value AS low, stats_max_value AS high FROM parquet_metadata('${path}') WHERE path_in_schema = 'symbol'`,
    );
    expect(bounds).toEqual({ low: 'KRW-BTC', high: '𝄞' });
    expect(await query(`SELECT symbol FROM '${path}' WHERE symbol = '삼성전자'`)).toHaveLength(1);
  });
});

describe('a file of gaps', () => {
  it('may have columns without any value', async () => {
    const path = join(await tempFolder(), 'gaps.parquet');
    const nothing = { from: 0n, channel: undefined, cause: undefined, missedVolume: undefined } as const;
    const values = [gap(nothing), gap(nothing)].map((event) => encodeEvent(event));
    const bytes = fileOf(EVENT_TOPICS.gap, values);
    await writeFile(path, bytes);
    const columns = ['from_time', 'channel', 'cause', 'missed_volume', 'missed_volume_text'];
    const empty = Object.fromEntries(columns.map((column) => [column, null]));
    expect(await query(`SELECT ${columns.join(', ')} FROM '${path}'`)).toEqual([empty, empty]);
    expect(await parquetReadObjects({ file: bytes.buffer, columns })).toEqual([empty, empty]);
  });
});
