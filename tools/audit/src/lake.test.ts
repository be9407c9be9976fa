import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readLake } from './lake.ts';

const HOUR = ['year=2025', 'month=06', 'day=30', 'hour=23'];
let lakeDir: string;

beforeEach(() => {
  lakeDir = mkdtempSync(join(tmpdir(), 'aipx-audit-'));
});

afterEach(() => rmSync(lakeDir, { recursive: true }));

async function write(kind: string, select: string): Promise<void> {
  const folder = join(lakeDir, kind, ...HOUR);
  mkdirSync(folder, { recursive: true });
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  await connection.run(`COPY (${select}) TO '${join(folder, 'part.parquet')}' (FORMAT parquet)`);
  connection.closeSync();
  instance.closeSync();
}

it('reads every digit, of a value beyond its column too: such a number, or side of a book, stands there as text', async () => {
  const huge = '123456789012345678901234567890.5';
  await write(
    'tick',
    `SELECT 'upbit' AS exchange, 'KRW-A' AS symbol, '1' AS trade_id, NULL::DECIMAL(38,12) AS price,
            '${huge}' AS price_text, 0.5::DECIMAL(38,12) AS volume, NULL::VARCHAR AS volume_text, 'BUY' AS side,
            NULL::DECIMAL(38,12) AS change, NULL::VARCHAR AS change_text, 1787728554797000000 AS time_ns`,
  );
  await write(
    'orderbook',
    `SELECT 'upbit' AS exchange, 'KRW-A' AS symbol, 1787728554797000000 AS time_ns, 0 AS log_partition, 0 AS log_offset,
            [{'price': NULL::DECIMAL(38,12), 'quantity': 1::DECIMAL(38,12)},
             {'price': 2::DECIMAL(38,12), 'quantity': 3::DECIMAL(38,12)}] AS bids,
            '[{"price":"${huge}","quantity":"1"},{"price":"2","quantity":"3"}]' AS bids_text,
            [{'price': 4::DECIMAL(38,12), 'quantity': 5::DECIMAL(38,12)}] AS asks, NULL::VARCHAR AS asks_text,
            4::DECIMAL(38,12) AS total_bid_quantity, NULL::VARCHAR AS total_bid_quantity_text,
            5::DECIMAL(38,12) AS total_ask_quantity, NULL::VARCHAR AS total_ask_quantity_text`,
  );
  const held = await readLake(lakeDir);
  const { ticks, books } = held.get('upbit') ?? {};
  expect([...held.keys()]).toEqual(['upbit']);
  expect(ticks).toMatchObject([{ price: huge, volume: '0.500000000000', change: '' }]);
  expect(books).toMatchObject([{ bids: [`${huge} 1`, '2 3'], asks: ['4.000000000000 5.000000000000'] }]);
});
