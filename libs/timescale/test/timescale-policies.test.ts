import { beforeAll, afterAll, describe, expect, it, vi } from 'vitest';
import { migrate } from '../src/migrations/migrate.js';
import { migrationStatus } from '../src/migrations/migration-status.js';
import type { Policy } from '../src/migrations/policies.js';
import { BEST_QUOTES, LAST_TRADES, MINUTE_BARS } from './support/example-queries.js';
import { BUSY_MS, startTimescaleServer, type TimescaleServer } from './support/timescale-server.js';

const signal = new AbortController().signal;
vi.setConfig({ testTimeout: BUSY_MS, hookTimeout: BUSY_MS });
const DAY_MS = 86_400_000;

let server: TimescaleServer;
beforeAll(async () => {
  server = await startTimescaleServer();
  await migrate(server.address, { signal });
});
afterAll(() => server.stop());

/** Time, price, id, place in the log. */
type Trade = readonly [at: string, price: string, id: string, offset: number];

/** Stores trades as the sink does where some may be there already. Resolves with the ids of those that were not. */
async function store(symbol: string, trades: readonly Trade[]): Promise<unknown[]> {
  const values = trades.map(
    ([at, price, id, offset]) => `('${at}', 'kis', '${symbol}', ${price}, 0.1, '${id}', now(), 0, ${offset})`,
  );
  const stored = await server.sql(`
    INSERT INTO tick_data (time, exchange, symbol, price, volume, trade_id, received_at, log_partition, log_offset)
    VALUES ${values.join(', ')} ON CONFLICT (exchange, symbol, trade_id, time) DO NOTHING RETURNING trade_id`);
  return stored.map((row) => row['trade_id']);
}

/** Runs the policies of a kind, as the background workers would. */
async function run(kind: Policy['kind']): Promise<void> {
  const { policies } = await migrationStatus(server.address, { signal });
  for (const policy of policies.filter((one) => one.kind === kind)) await server.sql(`CALL run_job(${policy.job})`);
}

const bars = (view: string, symbol: string) =>
  server.sql(`SELECT to_char(bucket AT TIME ZONE 'UTC', 'HH24:MI') AS bucket, open, high, low, close, volume, tick_count::text
    FROM ${view} WHERE symbol = '${symbol}' ORDER BY bucket`);
const bar = (
  bucket: string,
  open: string,
  high: string,
  low: string,
  close: string,
  volume: string,
  count: string,
) => ({
  ...{ bucket, open, high, low, close, volume },
  tick_count: count,
});

describe('the bars on TimescaleDB', () => {
  const minutes = [
    bar('16:50', '5.0', '5.0', '5.0', '5.0', '0.1', '1'),
    bar('16:51', '7', '9', '1.5', '1.5', '0.5', '5'),
  ];
  const all = ['5.0', '9', '1.5', '1.5', '0.6', '6'] as const;

  it('open and close by time, then by place in the log, before a refresh and after it', async () => {
    await store('SAMSUNG', [
      ['2021-04-17 16:50:59.999999Z', '5.0', 'a', 1],
      ['2021-04-17 16:51:00Z', '7.1', 'c', 30],
      ['2021-04-17 16:51:00Z', '7', 'b', 4],
      ['2021-04-17 16:51:30Z', '9', 'd', 31],
      ['2021-04-17 16:51:59Z', '1.5', 'f', 100],
      ['2021-04-17 16:51:59Z', '8', 'e', 32],
    ]);
    const expectBars = async () => {
      expect(await bars('tick_1min', 'SAMSUNG')).toEqual(minutes);
      expect(await bars('tick_5min', 'SAMSUNG')).toEqual([bar('16:50', ...all)]);
      expect(await bars('tick_1hour', 'SAMSUNG')).toEqual([bar('16:00', ...all)]);
    };
    await expectBars();
    await run('refresh');
    await server.sql('ALTER MATERIALIZED VIEW tick_1min SET (timescaledb.materialized_only = true)');
    await expectBars();
    await server.sql('ALTER MATERIALIZED VIEW tick_1min SET (timescaledb.materialized_only = false)');
  });

  it('take in a trade that comes years late with the next run of the policies', async () => {
    await store('LATE', [['2021-04-17 16:50:10Z', '5', 'b', 7]]);
    await run('refresh');
    await store('LATE', [
      ['2021-04-17 16:50:05Z', '4', 'a', 8],
      ['2019-01-02 00:00:00Z', '3', 'c', 9],
    ]);
    await run('refresh');
    expect(await bars('tick_1min', 'LATE')).toEqual([
      bar('00:00', '3', '3', '3', '3', '0.1', '1'),
      bar('16:50', '4', '5', '4', '5', '0.2', '2'),
    ]);
    expect(await bars('tick_1hour', 'LATE')).toEqual([
      bar('00:00', '3', '3', '3', '3', '0.1', '1'),
      bar('16:00', '4', '5', '4', '5', '0.2', '2'),
    ]);
  });
});

describe('the refresh policies', () => {
  it('catch up with twelve days that come late in one run', async () => {
    const days = Array.from({ length: 12 }, (_, day) => new Date(Date.UTC(2020, 3, 1 + day)).toISOString());
    await store(
      'DAYS',
      days.map((at, day): Trade => [at, '1', `m${day}`, 100 + day]),
    );
    expect(await bars('tick_1min', 'DAYS')).toEqual([]);
    await run('refresh');
    expect(await bars('tick_1min', 'DAYS')).toHaveLength(12);
    expect(await bars('tick_5min', 'DAYS')).toHaveLength(12);
    expect(await bars('tick_1hour', 'DAYS')).toHaveLength(12);
  });
});

describe('the columnstore', () => {
  it('keeps every digit, and the unique key of trades for what comes late', async () => {
    const digits = '0.000000010000000000123456789';
    await store('PACKED', [['2021-05-01 00:00:00Z', digits, 'a', 1]]);
    await run('columnstore');
    const chunks = `SELECT DISTINCT is_compressed FROM timescaledb_information.chunks WHERE hypertable_name = 'tick_data'`;
    expect(await server.sql(chunks)).toEqual([{ is_compressed: true }]);
    expect(await server.sql(`SELECT price FROM tick_data WHERE symbol = 'PACKED'`)).toEqual([{ price: digits }]);
    const again: Trade = ['2021-05-01 00:00:00Z', '9', 'a', 2];
    expect(await store('PACKED', [again, ['2021-05-01 00:00:01Z', '2', 'b', 3]])).toEqual(['b']);
    await run('columnstore');
    await run('refresh');
    expect(await store('PACKED', [again])).toEqual([]);
    expect(await bars('tick_1min', 'PACKED')).toEqual([bar('00:00', digits, '2', digits, '2', '0.2', '2')]);
  });

  it('keeps books with their levels', async () => {
    await server.sql(`INSERT INTO orderbook (time, exchange, symbol, bids, asks, received_at, log_partition, log_offset)
      VALUES ('2021-05-01 00:00:00Z', 'kis', 'PACKED', '[{"price": "6.90", "quantity": "1"}]', '[]', now(), 0, 1)`);
    await run('columnstore');
    expect(await server.sql(`SELECT bids->0->>'price' AS bid, asks FROM orderbook WHERE symbol = 'PACKED'`)).toEqual([
      { bid: '6.90', asks: [] },
    ]);
  });
});

describe('the example queries on TimescaleDB', () => {
  it('answer as they are written', async () => {
    await server.sql(`
      INSERT INTO tick_data (time, exchange, symbol, price, volume, trade_id, received_at, log_partition, log_offset)
      SELECT now() - n * interval '30 seconds', 'kis', '005930', 70000 + n, 1, n, now(), 0, -n FROM generate_series(0, 9) AS n;
      INSERT INTO orderbook (time, exchange, symbol, bids, asks, received_at, log_partition, log_offset)
      VALUES (now(), 'kis', '005930', '[{"price": "69900", "quantity": "1"}]', '[{"price": "70100", "quantity": "1"}]', now(), 0, 1)`);
    expect((await server.sql(LAST_TRADES)).map(({ price }) => price)).toEqual(
      [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => String(70_000 + n)),
    );
    const count = (rows: readonly Readonly<Record<string, unknown>>[]) =>
      rows.reduce((sum, row) => sum + Number(row['tick_count']), 0);
    expect(count(await server.sql(MINUTE_BARS))).toBe(10);
    await run('refresh');
    expect(count(await server.sql(MINUTE_BARS))).toBe(10);
    expect(await server.sql(BEST_QUOTES)).toMatchObject([{ best_bid_price: '69900', best_ask_price: '70100' }]);
  });
});

describe('retention', () => {
  it('drops old ticks and keeps their bars, also when it is lifted again', async () => {
    await store('OLD', [[new Date(Date.now() - 40 * DAY_MS).toISOString(), '5', 'a', 1]]);
    await store('NEW', [[new Date(Date.now() - 2 * 3_600_000).toISOString(), '6', 'b', 2]]);
    await run('refresh');
    const [old] = await bars('tick_1hour', 'OLD');
    for (const retentionMs of [30 * DAY_MS, 0]) {
      await migrate(server.address, { signal, retentionMs });
      await run('retention');
      await run('refresh');
      expect(await server.sql(`SELECT symbol FROM tick_data WHERE symbol IN ('OLD', 'NEW')`)).toEqual([
        { symbol: 'NEW' },
      ]);
      expect(await bars('tick_1hour', 'OLD')).toEqual([old]);
      expect(await bars('tick_1min', 'OLD')).toHaveLength(1);
    }
  });
});
