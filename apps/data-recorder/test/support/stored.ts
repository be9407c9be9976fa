import { globSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MarketDataError, type MarketEvent } from '@aipx/market-model';
import { decodeEvent, EVENT_TOPICS } from '@aipx/market-proto';
import { DuckDBInstance } from '@duckdb/node-api';
import { onTestFinished } from 'vitest';
import type { TestDatabase } from './database.js';
import type { TestLog } from './log.js';

/** One text a row, sorted, by kind: where it stands in the log, and what it says. */
export type Contents = Readonly<Record<'tick' | 'orderbook' | 'gap', readonly string[]>>;

export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'aipx-recorder-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** What the log has: what every store must have once it is done. */
export async function contentsOfLog({ log }: TestLog): Promise<Contents> {
  return await byKind(async (kind) => {
    const rows: string[] = [];
    for (const partition of await log.partitionsOf(EVENT_TOPICS[kind])) {
      const { begin, end } = await log.range(partition);
      for (let next = begin; next < end;) {
        const records = await log.read(partition, next, { maxRecords: 1_000, maxBytes: 10_000_000 });
        for (const { offset, value } of records) {
          const said = saidBy(kind, value);
          if (said !== undefined) rows.push(`${partition.partition}/${offset} ${said}`);
          next = offset + 1n;
        }
      }
    }
    return rows;
  });
}

export async function contentsOfDatabase({ sql }: TestDatabase): Promise<Contents> {
  const said = {
    tick: `tick_data: symbol || ' ' || trim_scale(price) || ' ' || trade_id`,
    orderbook: `orderbook: symbol || ' ' || (bids->0->>'price') || ' ' || extract(epoch from time)`,
    gap: `market_gap: symbol || ' ' || detail`,
  };
  return await byKind(async (kind) => {
    const [table, text] = said[kind].split(': ') as [string, string];
    const rows = await sql(`SELECT log_partition || '/' || log_offset || ' ' || ${text} AS row FROM ${table}`);
    return rows.map(({ row }) => String(row));
  });
}

/** @param folder the prefix's */
export async function contentsOfLake(folder: string): Promise<Contents> {
  const said = {
    tick: `symbol || ' ' || rtrim(rtrim(price::VARCHAR, '0'), '.') || ' ' || trade_id`,
    orderbook: `symbol || ' ' || rtrim(rtrim(bids[1].price::VARCHAR, '0'), '.') || ' ' || (time_ns // 1000 / 1e6)::DECIMAL(20, 6)`,
    gap: `symbol || ' ' || detail`,
  };
  const instance = await DuckDBInstance.create();
  const connection = await instance.connect();
  try {
    return await byKind(async (kind) => {
      const files = globSync(`${folder}/${kind}/**/*.parquet`);
      if (files.length === 0) return [];
      const list = files.map((file) => `'${file}'`).join();
      const sql = `SELECT log_partition || '/' || log_offset || ' ' || ${said[kind]} AS row FROM read_parquet([${list}])`;
      return (await connection.runAndReadAll(sql)).getRowObjectsJson().map(({ row }) => String(row));
    });
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

/** Rows of all kinds. */
export function sizeOf({ tick, orderbook, gap }: Contents): number {
  return tick.length + orderbook.length + gap.length;
}

async function byKind(rowsOf: (kind: keyof Contents) => Promise<readonly string[]>): Promise<Contents> {
  return {
    tick: (await rowsOf('tick')).toSorted(),
    orderbook: (await rowsOf('orderbook')).toSorted(),
    gap: (await rowsOf('gap')).toSorted(),
  };
}

function saidBy(kind: keyof Contents, value: Uint8Array): string | undefined {
  let event: MarketEvent;
  try {
    event = decodeEvent(kind, value);
  } catch (error) {
    if (error instanceof MarketDataError) return undefined;
    throw error;
  }
  switch (event.kind) {
    case 'tick':
      return `${event.symbol} ${event.price} ${event.tradeId}`;
    case 'orderbook':
      return `${event.symbol} ${String(event.bids[0]?.price)} ${secondsOf(event.timestamp)}`;
    case 'gap':
      return `${event.symbol} ${event.detail}`;
  }
}

/** Seconds with six digits, as SQL prints them. */
function secondsOf(nanoseconds: bigint): string {
  const micros = nanoseconds / 1_000n;
  return `${micros / 1_000_000n}.${String(micros % 1_000_000n).padStart(6, '0')}`;
}
