import { once } from 'node:events';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, describe, expect, it } from 'vitest';
import { App, runApp, temporaryFolder } from './support/app.js';

const folder = temporaryFolder();
const data = (name: string) => ['--data-dir', join(folder.path, name)];

afterAll(() => {
  folder.remove();
});

const QUERIES = [
  `SELECT * FROM tick_data WHERE symbol = 'KRW-BTC' AND time >= NOW() - INTERVAL '1 hour' ORDER BY time DESC LIMIT 100`,
  `SELECT * FROM tick_1min WHERE symbol = 'KRW-BTC' AND bucket >= NOW() - INTERVAL '1 day' ORDER BY bucket DESC`,
  `SELECT time, symbol, bids->0->>'price' AS best_bid_price, asks->0->>'price' AS best_ask_price FROM orderbook
    WHERE symbol = 'KRW-BTC' AND time >= NOW() - INTERVAL '5 minutes' ORDER BY time DESC`,
];

describe('the simulated market', () => {
  it('fills the tables that the README’s queries read, and names a code without data', async () => {
    const app = new App([
      '--duration',
      '3s',
      '--hold',
      '--markets',
      'KRW-BTC,KRW-NOSUCH',
      '--rate',
      '500',
      ...data('market'),
    ]);
    const ready = await app.next('ready');
    expect(await app.next('summary')).toMatchObject({ ok: true, conflated: 0, gaps: 0 });
    const client = new Client({ connectionString: String(ready['database_url']) });
    await client.connect();
    for (const query of QUERIES) expect((await client.query(query)).rows).not.toEqual([]);
    await client.end();
    app.signal('SIGINT');
    const { code, errors } = await app.outcome;
    expect(code).toBe(0);
    expect(errors).toMatch(/does not list KRW-NOSUCH/);
  });

  it('names the time it was not running as gaps when it comes back to a folder', async () => {
    const args = ['--duration', '1s', '--rate', '500', '--markets', 'KRW-BTC', ...data('again')];
    expect((await runApp(args)).summary).toMatchObject({ ok: true, gaps: 0 });
    const { code, summary } = await runApp(args);
    expect(code).toBe(0);
    expect(summary).toMatchObject({ ok: true, gaps: 2, hot: { gap: 2, conflicts: 0 }, cold: { gap: 2 } });
  });

  it('drains and sums up on SIGINT and on SIGTERM', async () => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      const app = new App(['--rate', '500', ...data(signal)]);
      await app.next('status');
      app.signal(signal);
      const { code, summary, reports } = await app.outcome;
      expect(code).toBe(0);
      expect(summary).toMatchObject({ ok: true, conflated: 0 });
      expect(reports.at(-1)).toBe(summary);
    }
  });

  it('drains and ends when nobody reads its results any more', async () => {
    const app = new App(['--rate', '500', ...data('unread')]);
    await app.next('ready');
    app.process.stdout?.destroy();
    const [code] = (await once(app.process, 'exit')) as [number];
    expect(code).toBe(0);
    // Everything was stored: the next run finds nothing left over.
    const { summary } = await runApp(['--rate', '500', '--duration', '1s', ...data('unread')]);
    expect(summary).toMatchObject({ ok: true, hot: { recovered: 0 }, cold: { recovered: 0 } });
  });

  it('refuses a data folder that another run has open, and says so', async () => {
    const first = new App(['--rate', '10', ...data('shared')]);
    await first.next('ready');
    const second = await runApp(['--rate', '10', ...data('shared')]);
    expect(second.code).toBe(2);
    expect(second.errors).toContain('CONFIG_DATA_DIR_IN_USE');
    if (process.platform === 'linux') expect(second.errors).toContain(`in use by process ${first.process.pid};`);
    first.signal('SIGTERM');
    expect((await first.outcome).code).toBe(0);
  });

  it('ends with a sentence when its database is killed, and stores the rest in the next run', async () => {
    const args = ['--rate', '500', '--duration', '60s', ...data('killed')];
    const app = new App(args);
    const ready = await app.next('ready');
    await app.next('status');
    const client = new Client({ connectionString: String(ready['database_url']) });
    client.on('error', () => undefined);
    await client.connect();
    const { rows } = await client.query<{ pid: number }>(
      `SELECT pg_read_file('postmaster.pid')::text, split_part(pg_read_file('postmaster.pid'), E'\\n', 1)::int AS pid`,
    );
    process.kill(Number(rows[0]?.pid), 'SIGKILL');
    const { code, errors } = await app.outcome;
    expect(code).toBe(1);
    expect(errors).toMatch(/STORE_UNAVAILABLE: [^\n]*run the same command again/);
    const again = await runApp(['--rate', '500', '--duration', '1s', ...data('killed')]);
    expect(again.summary).toMatchObject({ ok: true });
    expect(again.code).toBe(0);
  });
});
