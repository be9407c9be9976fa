import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { migrate } from '../src/migrations/migrate.js';
import { MIGRATIONS } from '../src/migrations/migration-files.js';
import { migrationStatus } from '../src/migrations/migration-status.js';
import { BUSY_MS, startTimescaleServer, type TimescaleServer } from './support/timescale-server.js';

const signal = new AbortController().signal;
vi.setConfig({ testTimeout: BUSY_MS, hookTimeout: BUSY_MS });
const NAMES = ['0001_hot_store', '0002_hypertables', '0003_ohlcv_aggregates'];
const DAY_MS = 86_400_000;

describe('migrate on TimescaleDB', () => {
  let server: TimescaleServer;
  beforeAll(async () => {
    server = await startTimescaleServer();
  });
  afterAll(() => server.stop());

  it('says beforehand what it will do, and changes nothing by that', async () => {
    const status = await migrationStatus(server.address, { signal });
    expect(status).toEqual({
      flavour: 'timescale',
      timescaleVersion: undefined,
      done: [],
      open: NAMES,
      newer: [],
      policies: [],
    });
    expect(await server.sql(`SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace`)).toEqual([]);
  });

  it('keeps nothing of a run in which a migration fails, and the next one begins anew', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'aipx-migrations-'));
    await cp(MIGRATIONS, folder, { recursive: true });
    await writeFile(join(folder, 'timescale', '0004_bad.sql'), 'CREATE TABLE bad (id no_such_type);');
    await expect(migrate(server.address, { signal, directory: folder })).rejects.toMatchObject({
      code: 'STORE_REFUSED',
      message: expect.stringContaining('no_such_type') as string,
    });
    await rm(folder, { recursive: true });
    expect(await server.sql(`SELECT to_regclass('tick_data') AS found`)).toEqual([{ found: null }]);
  });

  it('creates the extension, hypertables and aggregates once, however many start at the same time', async () => {
    const runs = await Promise.all([1, 2].map(() => migrate(server.address, { signal })));
    expect(runs.flat()).toEqual(NAMES);
    expect(
      await server.sql('SELECT hypertable_name FROM timescaledb_information.hypertables ORDER BY hypertable_name'),
    ).toEqual([{ hypertable_name: 'orderbook' }, { hypertable_name: 'tick_data' }]);
    expect(
      await server.sql(
        'SELECT view_name, materialized_only FROM timescaledb_information.continuous_aggregates ORDER BY 1',
      ),
    ).toEqual(['tick_1hour', 'tick_1min', 'tick_5min'].map((name) => ({ view_name: name, materialized_only: false })));
  });

  it('has the columns of the plain relations, in their order', async () => {
    const columns = `SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' ORDER BY attnum) AS columns
      FROM pg_attribute WHERE attrelid = to_regclass('tick_1min') AND attnum > 0`;
    expect(await server.sql(columns)).toEqual([
      {
        columns:
          'bucket timestamp with time zone, exchange text, symbol text, open numeric, high numeric, low numeric, ' +
          'close numeric, volume numeric, tick_count bigint',
      },
    ]);
    const [minute, five, hour] = await Promise.all(
      ['tick_1min', 'tick_5min', 'tick_1hour'].map((view) => server.sql(columns.replace('tick_1min', view))),
    );
    expect(five).toEqual(minute);
    expect(hour).toEqual(minute);
  });

  it('reports the policies as they stand', async () => {
    const { policies, done, open, timescaleVersion } = await migrationStatus(server.address, { signal });
    expect(timescaleVersion).toMatch(/^2\./);
    expect(done.map(({ name }) => name)).toEqual(NAMES);
    expect(open).toEqual([]);
    expect(policies.map(({ kind, relation, every, before, until }) => [kind, relation, every, before, until])).toEqual([
      ['columnstore', 'tick_data', '12:00:00', '7 days', undefined],
      ['columnstore', 'orderbook', '03:00:00', '1 day', undefined],
      ['refresh', 'tick_1min', '00:01:00', undefined, '00:01:00'],
      ['refresh', 'tick_5min', '00:05:00', undefined, '00:05:00'],
      ['refresh', 'tick_1hour', '00:15:00', undefined, '01:00:00'],
    ]);
  });

  it('sets, changes and removes retention, and no refresh ever reaches behind it', async () => {
    const at = async (retentionMs: number) => {
      const lines: string[] = [];
      await migrate(server.address, { signal, retentionMs, onLog: (line) => lines.push(line) });
      const { policies } = await migrationStatus(server.address, { signal });
      return {
        changes: lines.filter((line) => line.includes(': ')),
        dropped: policies.filter(({ kind }) => kind === 'retention').map(({ relation, before }) => [relation, before]),
        refreshed: policies.filter(({ kind }) => kind === 'refresh').map(({ before }) => before),
      };
    };
    const both = (age: string) => [
      ['tick_data', age],
      ['orderbook', age],
    ];
    const bars = (age: string) => [age, age, age];
    expect(await at(30 * DAY_MS)).toMatchObject({ dropped: both('720:00:00'), refreshed: bars('719:00:00') });
    expect((await at(30 * DAY_MS)).changes).toEqual([]);
    expect(await at(DAY_MS)).toEqual({
      changes: [
        'bars: refreshed for trades at most 23:00:00 old',
        'tick_data: dropped when 24:00:00 old',
        'orderbook: dropped when 24:00:00 old',
      ],
      dropped: both('24:00:00'),
      refreshed: bars('23:00:00'),
    });
    // What was dropped stays dropped: a wider window would find no trades there and delete the bars.
    expect(await at(60 * DAY_MS)).toMatchObject({ dropped: both('1440:00:00'), refreshed: bars('23:00:00') });
    expect(await at(0)).toMatchObject({ dropped: [], refreshed: bars('23:00:00') });
  });

  it.each([-1, 1.5, NaN, DAY_MS - 1])('refuses a retention of %s ms', async (retentionMs) => {
    await expect(migrate(server.address, { signal, retentionMs })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });

  it('refuses a database that a newer version has prepared', async () => {
    await server.sql(`INSERT INTO schema_migration (name, run_on) VALUES ('0099_later', now())`);
    await expect(migrate(server.address, { signal })).rejects.toMatchObject({
      code: 'STORE_REFUSED',
      message: expect.stringContaining(
        'a newer version, whose migrations this one does not have (0099_later)',
      ) as string,
    });
    expect(await migrationStatus(server.address, { signal })).toMatchObject({ newer: ['0099_later'], open: [] });
    await server.sql(`DELETE FROM schema_migration WHERE name = '0099_later'`);
    await expect(migrate(server.address, { signal, flavour: 'plain' })).rejects.toMatchObject({
      code: 'STORE_REFUSED',
      message: expect.stringContaining('was prepared as TimescaleDB and is asked to be plain PostgreSQL') as string,
    });
  });
});

describe('a plain database that gets TimescaleDB later', () => {
  let server: TimescaleServer;
  beforeAll(async () => {
    server = await startTimescaleServer();
  });
  afterAll(() => server.stop());

  it('stays plain when asked to, and is refused otherwise, for half of it cannot be changed', async () => {
    await migrate(server.address, { signal, flavour: 'plain' });
    await expect(migrate(server.address, { signal, flavour: 'timescale' })).rejects.toMatchObject({
      code: 'STORE_REFUSED',
      message: expect.stringContaining('was prepared as plain PostgreSQL and is asked to be TimescaleDB') as string,
    });
    // Merely installed on the server, it changes nothing.
    expect(await migrate(server.address, { signal })).toEqual([]);
    await server.sql('CREATE EXTENSION timescaledb');
    await expect(migrate(server.address, { signal })).rejects.toMatchObject({
      code: 'STORE_REFUSED',
      message: expect.stringContaining('ask for plain to keep it as it is, or record into another database') as string,
    });
    expect(await migrate(server.address, { signal, flavour: 'plain' })).toEqual([]);
  });
});
