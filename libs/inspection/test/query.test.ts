import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FolderObjectStore } from '@aipx/lake';
import { parseDecimal } from '@aipx/market-model';
import { book, entryOf, level, START, tick } from '@aipx/market-proto/testing';
import { HotReader } from '@aipx/timescale';
import { describe, expect, it } from 'vitest';
import { DuckDb } from '../src/duckdb.js';
import { createLakeViews } from '../src/query/lake-views.js';
import { barsSql, booksSql, ticksSql, type AskedSql } from '../src/query/questions.js';
import { recorded, type Recorded } from './support/recorded.js';

const SECOND = 1_000_000_000n;
const HUGE = '123456789012345678901234567890.5';

async function fromLake({ root }: Pick<Recorded, 'root'>, asked: AskedSql, times = {}) {
  await using duckdb = await DuckDb.open(new AbortController().signal);
  const lake = { objects: await FolderObjectStore.open(root), prefix: 'market-data', root };
  await createLakeViews({ lake, duckdb, kinds: [asked.kind], times, maxFetchBytes: 1 });
  return await duckdb.table(asked.lake);
}

async function fromDatabase({ address }: Pick<Recorded, 'address'>, asked: AskedSql) {
  await using reader = await HotReader.open(address, new AbortController().signal);
  return await reader.query(asked.database);
}

/** Two spellings of one time, and counts as numbers or text. */
const plain = ({ columns, rows }: { columns: readonly string[]; rows: readonly (readonly unknown[])[] }) => ({
  columns,
  rows: rows.map((row) => row.map((value) => (value === null ? null : String(value)))),
});

describe('a decimal', () => {
  it('is written without the zeros that fill up the scale of the lake, any other one as it was asked for', async () => {
    await using duckdb = await DuckDb.open(new AbortController().signal);
    const numbers = ['12986', '0.5', '-10', '0', '1000000000000.000000000001'].map((n) => `(${n}::DECIMAL(38,12))`);
    const sql = `SELECT d, sum(d) OVER (), round(d, 2) FROM (VALUES ${numbers.join(', ')}, (NULL)) AS t (d)`;
    const { rows } = await duckdb.table(sql);
    expect(rows.map(([d]) => d)).toEqual(['12986', '0.5', '-10', '0', '1000000000000.000000000001', null]);
    expect(rows[0]?.slice(1)).toEqual(['1000000012976.500000000001', '12986.00']);
  });
});

describe('ready-made queries', () => {
  const trades = Array.from({ length: 90 }, (_, n) =>
    tick(7 * n, { timestamp: START + BigInt(n) * SECOND, price: parseDecimal(`${100 + (n % 13)}.5`) }),
  );
  const wide = tick(0, { tradeId: 'wide', timestamp: START + 200n * SECOND, price: parseDecimal(HUGE) });
  const books = [book(7), book(14, { bids: [level(HUGE, '1')], asks: [] })];

  it('give the same rows from lake and database, each repeated trade once, every digit kept', async () => {
    const data = await recorded([...trades, ...trades.slice(0, 5), wide, ...books].map(entryOf));
    const question = { symbol: 'KRW-S0', limit: 1000 };
    const ticks = plain(await fromLake(data, ticksSql(question)));
    expect(ticks.rows).toHaveLength(91);
    expect(ticks.rows.at(-1)).toContain(HUGE);
    expect(ticks).toEqual(plain(await fromDatabase(data, ticksSql(question))));
    const ofBooks = plain(await fromLake(data, booksSql(question)));
    expect(ofBooks.rows[1]?.slice(3)).toEqual([
      HUGE,
      '1',
      null,
      null,
      '21.5',
      null,
      `[{"price":"${HUGE}","quantity":"1"}]`,
      '[]',
    ]);
    expect(ofBooks).toEqual(plain(await fromDatabase(data, booksSql(question))));
    const first = { ...question, to: START + 100n * SECOND };
    for (const interval of ['1m', '5m', '1h'] as const) {
      const bars = plain(await fromLake(data, barsSql(first, interval)));
      expect(bars.rows.reduce((sum, row) => sum + Number(row.at(-1)), 0)).toBe(90);
    }
  });

  it('read no file that the manifest does not name, and only the hours that are asked for', async () => {
    const data = await recorded([...trades, wide, ...books].map(entryOf));
    await using duckdb = await DuckDb.open(new AbortController().signal);
    const lake = { objects: await FolderObjectStore.open(data.root), prefix: 'market-data', root: data.root };
    const { rows } = await duckdb.table(`SELECT file FROM glob('${data.root}/market-data/tick/**/*.parquet')`);
    await copyFile(String(rows[0]?.[0]), join(String(rows[0]?.[0]), '../copy.parquet'));
    const views = { lake, duckdb, kinds: ['tick', 'gap'], times: {}, maxFetchBytes: 1 } as const;
    expect(await createLakeViews(views)).toEqual(['gap']);
    expect((await duckdb.table('SELECT count(*)::INTEGER FROM tick')).rows).toEqual([[91]]);
    const later = await fromLake(data, ticksSql({ symbol: 'KRW-S0', limit: 10 }), { from: START + 10_000n * SECOND });
    expect(later.rows).toEqual([]);
  });
});
