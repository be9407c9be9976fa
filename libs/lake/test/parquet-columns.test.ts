import { Buffer } from 'node:buffer';
import { zstdDecompressSync } from 'node:zlib';
import { parseDecimal, type Decimal, type Level } from '@aipx/market-model';
import { parquetReadObjects } from 'hyparquet';
import { describe, expect, it } from 'vitest';
import { BatchTooLarge } from '../src/parquet/batch-encoder.js';
import * as column from '../src/parquet/columns.js';
import type { Compression } from '../src/parquet/parquet-table.js';
import { query } from './support/duckdb.js';
import { firstRowsOf, writeTable } from './support/parquet-table.js';

/** So many decimals, or so many long texts, fill a page. */
const DECIMALS_OF_A_PAGE = 65_536;
const TEXTS_OF_A_PAGE = 12;

const longText = (row: number) => `${row}-`.padEnd(44_000, '삼x'); // 88,000 bytes
const decimal = (value: number) => parseDecimal(`${value}.5`);
const inDuckDb = (value: number) => `${value}.500000000000`;

describe.each<Compression>(['snappy', 'zstd'])('a column of several pages, compressed with %s', (compression) => {
  it('holds texts that all differ', async () => {
    const texts = Array.from({ length: 3 * TEXTS_OF_A_PAGE }, (_, row) => longText(row));
    const columns = [column.distinctText('id', (row: string) => row), column.text('name', (row: string) => row)];
    const { bytes, path } = await writeTable(columns, texts, { compression });
    expect([firstRowsOf(bytes, 'id').length, firstRowsOf(bytes, 'name').length]).toEqual([3, 3]);
    expect(await query(`SELECT id, name FROM '${path}'`)).toEqual(texts.map((text) => ({ id: text, name: text })));
  });

  it('ends with a page without any text', async () => {
    const texts = [...Array(TEXTS_OF_A_PAGE).keys()].map((row) => longText(row));
    const rows = [...texts, ...Array<undefined>(100)];
    const columns = [column.optionalText('name', (row: string | undefined) => row)];
    const { bytes, path } = await writeTable(columns, rows, { compression });
    expect(firstRowsOf(bytes, 'name')).toEqual([0, TEXTS_OF_A_PAGE]);
    const stored = rows.map((name) => ({ name: name ?? null }));
    expect(await query(`SELECT name FROM '${path}'`)).toEqual(stored);
    const [text, ...nulls] = await parquetReadObjects({
      file: bytes.buffer,
      rowStart: TEXTS_OF_A_PAGE - 1,
      useOffsetIndex: true,
      compressors: { ZSTD: (page) => zstdDecompressSync(page) },
    });
    expect([text?.['name'], nulls.length, new Set(nulls.map(({ name }) => name))]).toEqual([
      texts.at(-1),
      100,
      new Set([null]),
    ]);
  });

  it('ends with a page without any number', async () => {
    const rows: (Decimal | undefined)[] = [...Array(DECIMALS_OF_A_PAGE).keys()].map(decimal);
    rows.push(...Array<undefined>(10));
    const { bytes, path } = await writeTable([column.decimal('price', (row: Decimal | undefined) => row)], rows, {
      compression,
    });
    expect(firstRowsOf(bytes, 'price')).toEqual([0, DECIMALS_OF_A_PAGE]);
    const [counts] = await query(
      `SELECT count(*) AS rows, count(price) AS prices, count(DISTINCT price) AS different, sum(price) AS sum FROM '${path}'`,
    );
    const sum = (DECIMALS_OF_A_PAGE * DECIMALS_OF_A_PAGE) / 2;
    expect(counts).toEqual({
      rows: String(rows.length),
      prices: String(DECIMALS_OF_A_PAGE),
      different: String(DECIMALS_OF_A_PAGE),
      sum: `${sum}.000000000000`,
    });
  });

  it('ends with a page of empty lists', async () => {
    const depth = 32;
    const full = DECIMALS_OF_A_PAGE / depth;
    const sides = Array.from({ length: full + 50 }, (_, row): Level[] =>
      Array.from({ length: row < full ? depth : 0 }, (_, level) => ({
        price: decimal(level),
        quantity: decimal(row * depth + level),
      })),
    );
    const { bytes, path } = await writeTable([column.levels('bids', (row: Level[]) => row)], sides, { compression });
    expect(firstRowsOf(bytes, 'bids.list.element.quantity')).toEqual([0, full]);
    const rows = await query(
      `SELECT len(bids) AS levels, bids[1].quantity AS first, bids[-1].quantity AS last FROM '${path}'`,
    );
    expect(rows).toEqual(
      sides.map(({ length }, row) => ({
        levels: String(length),
        first: length === 0 ? null : inDuckDb(row * depth),
        last: length === 0 ? null : inDuckDb(row * depth + depth - 1),
      })),
    );
  });

  it('points into one dictionary from all of them', async () => {
    const [depth, prices] = [30, 100];
    const sides = Array.from({ length: 10_000 }, (_, row) =>
      Array.from({ length: depth }, (_, level) => ({ price: decimal((row + level) % prices), quantity: decimal(1) })),
    );
    const { bytes, path } = await writeTable([column.levels('asks', (row: Level[]) => row)], sides, { compression });
    expect(firstRowsOf(bytes, 'asks.list.element.price').length).toBe(2);
    const rows = await query(`SELECT asks[1].price AS first, asks[-1].price AS last FROM '${path}'`);
    const stored = sides.map((_, row) => ({
      first: inDuckDb(row % prices),
      last: inDuckDb((row + depth - 1) % prices),
    }));
    expect(rows).toEqual(stored);
  });
});

describe('the bounds of a text column', () => {
  const astral = '\u{10ffff}';
  const groups = [
    ['AAAAAAAAAAAAAAAA1', 'AAAAAAAAAAAAAAAA2', 'AAAAAAAAAAAAAAAA3'],
    ['AAAAAAAAAAAAAAAB', 'AAAAAAAAAAAAAAABA', `AAAAAAAAAAAAAAA한`],
    ['삼성전자우선주', '삼성전자우선주식', '삼성전자 보통주'],
    ['z', `zzzzzzzzzzzzzz${astral}`, `zzzzzzzzzzzz${astral}z`],
    [astral.repeat(4), `${astral.repeat(4)}a`, astral.repeat(5)],
    ['\ud7ff'.repeat(6), `${'\ud7ff'.repeat(5)}\ue000`, '\ud7ff'],
  ];
  const texts = groups.flat();
  const columns = [column.text('name', (row: string) => row)];

  it('hold for all texts of a row group, also when they are cut', async () => {
    const { path } = await writeTable(columns, texts, { groupRows: 3 });
    const bounds = await query(
      `SELECT stats_min_value AS low, stats_max_value AS high FROM parquet_metadata('${path}') ORDER BY row_group_id`,
    );
    expect(bounds).toHaveLength(groups.length);
    expect(bounds[0]).toEqual({ low: 'AAAAAAAAAAAAAAAA', high: 'AAAAAAAAAAAAAAAB' });
    for (const [index, { low, high }] of bounds.entries()) {
      for (const text of groups[index] ?? []) {
        expect(Buffer.compare(Buffer.from(String(low)), Buffer.from(text))).toBeLessThanOrEqual(0);
        expect(Buffer.compare(Buffer.from(text), Buffer.from(String(high)))).toBeLessThanOrEqual(0);
      }
    }
  });

  it('let a filter find each text', async () => {
    const { path } = await writeTable(columns, texts, { groupRows: 3 });
    for (const name of texts) {
      expect(await query(`SELECT name FROM '${path}' WHERE name = '${name}'`)).toEqual([{ name }]);
    }
  });
});

describe('a text column', () => {
  it('calls a batch too large before its texts have more bytes than it can count', () => {
    const { append } = column.distinctText('detail', (row: string) => row);
    expect(() => append('x'.repeat(2 ** 29 - 24))).toThrow(BatchTooLarge);
  });
});

describe('a column of whole numbers', () => {
  const LEAST = -(2n ** 63n);
  const MOST = 2n ** 63n - 1n;
  const MOST_UNSIGNED = 2n ** 64n - 1n;
  const number = (row: bigint) => row;

  it('holds the least and the largest ones', async () => {
    const rows = [LEAST, MOST, LEAST, 0n, MOST, -1n];
    const columns = [
      column.int64('signed', number),
      column.uint64('unsigned', (row: bigint) => BigInt.asUintN(64, row)),
      column.uint64('constant', () => MOST_UNSIGNED),
    ];
    const { path } = await writeTable(columns, rows);
    expect(await query(`SELECT * FROM '${path}'`)).toEqual(
      rows.map((row) => ({
        signed: String(row),
        unsigned: String(BigInt.asUintN(64, row)),
        constant: String(MOST_UNSIGNED),
      })),
    );
    expect(await query(`SELECT count(*) AS least FROM '${path}' WHERE signed = ${LEAST}`)).toEqual([{ least: '2' }]);
  });

  it.each([
    ['int64', column.int64('log_offset', number), MOST + 1n],
    ['int64', column.int64('log_offset', number), LEAST - 1n],
    ['uint64', column.uint64('log_offset', number), MOST_UNSIGNED + 1n],
    ['uint64', column.uint64('log_offset', number), -1n],
    ['timestamp', column.timestamp('log_offset', number), MOST + 1n],
    ['optionalTimestamp', column.optionalTimestamp('log_offset', number), LEAST - 1n],
  ])('of the type %s refuses what would become another one', async (_type, tooNarrow, value) => {
    await expect(writeTable([tooNarrow], [0n, value, 5n])).rejects.toMatchObject({
      code: 'STORE_REFUSED',
      message: expect.stringContaining(`log_offset is ${value}; its column holds `) as string,
    });
  });
});
