import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { migrate } from '../src/migrations/migrate.js';
import { migrationStatus } from '../src/migrations/migration-status.js';
import { emptyDatabase, hotDatabase, type TestDatabase } from '../src/testing/index.js';
import { BEST_QUOTES, LAST_TRADES, MINUTE_BARS } from './support/example-queries.js';

const signal = new AbortController().signal;
const MIGRATIONS = fileURLToPath(new URL('../../../migrations', import.meta.url));

describe('migrate', () => {
  it('makes every table and view of the hot store, and does nothing when run again', async () => {
    const { address, sql } = await emptyDatabase();
    expect(await migrate(address, { signal })).toEqual(['0001_hot_store', '0002_ohlcv_views']);
    expect(await migrate(address, { signal })).toEqual([]);
    const relations = await sql(`SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace
      AND relkind IN ('r', 'v') ORDER BY relname`);
    expect(relations.map(({ relname }) => relname)).toEqual([
      'log_position',
      'market_gap',
      'orderbook',
      'schema_migration',
      'tick_1hour',
      'tick_1min',
      'tick_5min',
      'tick_data',
    ]);
  });

  it('runs once when several start at the same time', async () => {
    const { address } = await emptyDatabase();
    const runs = await Promise.all([1, 2, 3].map(() => migrate(address, { signal })));
    expect(runs.flat()).toEqual(['0001_hot_store', '0002_ohlcv_views']);
  });

  it('reports what is done and what is open', async () => {
    const { address } = await emptyDatabase();
    const names = ['0001_hot_store', '0002_ohlcv_views'];
    const plain = { flavour: 'plain', timescaleVersion: undefined, newer: [], policies: [] };
    expect(await migrationStatus(address, { signal })).toEqual({ ...plain, done: [], open: names });
    await migrate(address, { signal });
    const { done, ...status } = await migrationStatus(address, { signal });
    expect(done.map(({ name }) => name)).toEqual(names);
    expect(Math.abs(Date.now() - Number(done[0]?.at))).toBeLessThan(60_000);
    expect(status).toEqual({ ...plain, open: [] });
  });

  it('refuses what only TimescaleDB can do: to drop old rows, or to be it', async () => {
    const { address, sql } = await emptyDatabase();
    await expect(migrate(address, { signal, retentionMs: 86_400_000 })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('plain PostgreSQL, which drops nothing by itself') as string,
    });
    await expect(migrate(address, { signal, flavour: 'timescale' })).rejects.toMatchObject({
      code: 'STORE_REFUSED',
      message: expect.stringContaining('its server has no such extension') as string,
    });
    expect(await sql(`SELECT to_regclass('tick_data') AS found`)).toEqual([{ found: null }]);
    expect(await migrate(address, { signal, retentionMs: 0, flavour: 'plain' })).toHaveLength(2);
  });

  it('waits for a run that is under way, and leaves at once when it is told to', async () => {
    const { address, sql } = await emptyDatabase();
    await sql('SELECT pg_advisory_lock(7241865325823964)');
    const stop = new AbortController();
    const waiting = migrate(address, { signal: stop.signal });
    stop.abort(new Error('told to stop'));
    await expect(waiting).rejects.toThrow('told to stop');
    await sql('SELECT pg_advisory_unlock_all()');
    expect(await migrate(address, { signal })).toHaveLength(2);
  });

  it('finds its files in a folder whose name looks like a pattern', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'aipx-[old]{1}*-'));
    await cp(MIGRATIONS, folder, { recursive: true });
    const { address } = await emptyDatabase();
    expect(await migrate(address, { signal, directory: folder })).toHaveLength(2);
    await rm(folder, { recursive: true });
  });

  it('keeps nothing of a run in which a migration fails, and names it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'aipx-migrations-'));
    await mkdir(join(folder, 'common'));
    await writeFile(join(folder, 'common', '0001_good.sql'), 'CREATE TABLE good (id integer);');
    await writeFile(join(folder, 'common', '0002_bad.sql'), 'CREATE TABLE bad (id no_such_type);');
    const { address, sql } = await emptyDatabase();
    await expect(migrate(address, { signal, directory: folder })).rejects.toMatchObject({
      code: 'STORE_REFUSED',
      message: expect.stringContaining('no_such_type') as string,
    });
    expect(await sql(`SELECT to_regclass('good') AS found`)).toEqual([{ found: null }]);
    await rm(folder, { recursive: true });
  });

  it('says which database cannot be reached', async () => {
    const { address } = await emptyDatabase();
    await expect(migrate({ ...address, port: 1 }, { signal })).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      retryable: true,
      message: expect.stringContaining('127.0.0.1:1') as string,
    });
  });
});

describe('the example queries', () => {
  it.each([
    ['the last trades of a symbol', 'tick_data_symbol_time', LAST_TRADES],
    ['the minute bars of a day', 'tick_data_symbol_1min', MINUTE_BARS],
    ['the best quotes of five minutes', 'orderbook_symbol_time', BEST_QUOTES],
  ])('%s reads the index %s', async (_, index, query) => {
    const database = await hotDatabase();
    await fillWithAMonth(database);
    const plan = await database.sql(`EXPLAIN ${query}`);
    expect(plan.map((line) => line['QUERY PLAN']).join('\n')).toContain(index);
  });

  it('make bars from trades: open and close by time, then by place in the log', async () => {
    const { sql } = await hotDatabase();
    await sql(`INSERT INTO tick_data (time, exchange, symbol, price, volume, trade_id, received_at, log_partition, log_offset)
      SELECT time::timestamptz, 'kis', '005930', price, 0.1, id, now(), 0, log_offset FROM (VALUES
        ('2021-04-17 16:50:59.999999Z', 5.0, 'a', 1), ('2021-04-17 16:51:00Z', 7.1, 'c', 3), ('2021-04-17 16:51:00Z', 7, 'b', 2),
        ('2021-04-17 16:51:30Z', 9, 'd', 4), ('2021-04-17 16:51:59Z', 1.5, 'f', 6), ('2021-04-17 16:51:59Z', 8, 'e', 5)
      ) AS trades (time, price, id, log_offset)`);
    const minutes = await sql('SELECT * FROM tick_1min ORDER BY bucket');
    const bar = { exchange: 'kis', symbol: '005930' };
    expect(minutes).toEqual([
      {
        ...bar,
        bucket: new Date('2021-04-17T16:50Z'),
        open: '5.0',
        high: '5.0',
        low: '5.0',
        close: '5.0',
        volume: '0.1',
        tick_count: '1',
      },
      {
        ...bar,
        bucket: new Date('2021-04-17T16:51Z'),
        open: '7',
        high: '9',
        low: '1.5',
        close: '1.5',
        volume: '0.5',
        tick_count: '5',
      },
    ]);
    for (const [view, bucket] of [
      ['tick_5min', '2021-04-17T16:50Z'],
      ['tick_1hour', '2021-04-17T16:00Z'],
    ] as const) {
      expect(await sql(`SELECT bucket, open, close, tick_count FROM ${view}`)).toEqual([
        { bucket: new Date(bucket), open: '5.0', close: '1.5', tick_count: '6' },
      ]);
    }
  });
});

/** Twenty symbols over thirty days up to now, as the planner would find it in use. */
async function fillWithAMonth({ sql }: TestDatabase): Promise<void> {
  const moments = `generate_series(1, 20000) AS n, LATERAL (SELECT now() - n * interval '130 seconds' AS at, n % 20 AS s) AS m`;
  await sql(`INSERT INTO tick_data (time, exchange, symbol, price, volume, trade_id, received_at, log_partition, log_offset)
    SELECT at, 'kis', CASE s WHEN 0 THEN '005930' ELSE 's' || s END, 1, 1, n, at, 0, n FROM ${moments}`);
  await sql(`INSERT INTO orderbook (time, exchange, symbol, bids, asks, received_at, log_partition, log_offset)
    SELECT at, 'kis', CASE s WHEN 0 THEN '005930' ELSE 's' || s END, '[]', '[]', at, 0, n FROM ${moments}`);
  await sql('ANALYZE');
}
