import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, describe, expect, it } from 'vitest';
import { App, runApp, temporaryFolder, type Report } from './support/app.js';
import { writeMixedRecording } from './support/kis-recording.js';

const folder = temporaryFolder();
/** Fifteen stocks of three registrations each: more than the 41 that one key carries. */
const STOCKS =
  '005930,000660,373220,207940,005380,000270,068270,105560,035420,055550,012330,005490,028260,051910,006400';
/** Trades and books of each. */
const STREAMS = 30;
const STREAMS_OF_UPBIT = 2;

afterAll(() => {
  folder.remove();
});

/** The rows of a query on a run that holds its database up. */
async function query(ready: Report, sql: string): Promise<readonly Record<string, unknown>[]> {
  const client = new Client({ connectionString: String(ready['database_url']) });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

function gapsStored({ hot }: Report): number {
  return (hot as { readonly gap: number }).gap;
}

interface JournalRecord {
  readonly ref: string;
  readonly fate: string;
}

/** Trades that the simulator's journal says were sent in its last run: `<code> <trade id>`, sorted. */
function sentTrades(data: string): readonly string[] {
  const lines = readFileSync(join(data, 'simulator', 'kis.jsonl'), 'utf8')
    .trim()
    .split('\n');
  return lines
    .map((line) => JSON.parse(line) as { symbol: string; records?: readonly JournalRecord[] })
    .flatMap(({ symbol, records = [] }) =>
      records.filter(({ fate }) => fate === 'sent').map(({ ref }) => `${symbol} ${ref}`),
    )
    .toSorted();
}

describe('KIS and Upbit, simulated together', { timeout: 120_000 }, () => {
  const data = join(folder.path, 'market');
  const args = ['--rate', '600', '--markets', `KRW-BTC,${STOCKS}`, '--data-dir', data];

  it('stores every trade that the venue’s journal has, by several connections and in several runs, and no gap is false', async () => {
    const first = new App([...args, '--duration', '6s', '--hold']);
    const ready = await first.next('ready');
    expect(ready['venues']).toMatchObject({ kis: { connections: 2 }, upbit: { connections: 1, symbols: ['KRW-BTC'] } });
    const summary = await first.next('summary');
    expect(summary).toMatchObject({ ok: true, gaps: 0, venues: { kis: { repeated: 0, missed_volume: '0' } } });
    const { kis } = summary['venues'] as { kis: { sent: number; received: number } };
    expect(kis.received).toBe(kis.sent);
    const stored = await query(
      ready,
      `SELECT symbol || ' ' || trade_id AS trade FROM tick_data WHERE exchange = 'kis'`,
    );
    expect(stored.map(({ trade }) => String(trade)).toSorted()).toEqual(sentTrades(data));
    expect(await query(ready, RECENT)).not.toEqual([]);
    first.signal('SIGINT');
    expect((await first.outcome).code).toBe(0);

    const again = new App(args);
    // Each stream's gap lasts until its own registration.
    while (gapsStored(await again.next('status')) < STREAMS + STREAMS_OF_UPBIT);
    again.signal('SIGINT');
    const second = await again.outcome;
    expect(second.code).toBe(0);
    expect(second.summary).toMatchObject({ ok: true, hot: { duplicates: 0, conflicts: 0 } });
    // The second goes on where the first ended: nobody listened in between, and nothing was traded.
    expect(second.summary?.['venues']).toMatchObject({
      kis: { repeated: 0, gaps: { reconnect: STREAMS }, missed_volume: '0' },
    });
  });

  it('names what was traded when it comes back after SIGKILL, and takes nothing twice', async () => {
    const killed = new App(args);
    await killed.next('status');
    await killed.next('status');
    await killed.next('status');
    killed.signal('SIGKILL');
    await killed.outcome;
    const app = new App([...args, '--duration', '3s', '--hold']);
    const ready = await app.next('ready');
    expect(await app.next('summary')).toMatchObject({ ok: true, hot: { duplicates: 0, conflicts: 0 } });
    // Of a day's shares of a symbol, those of its trades and those of its gaps are all there are.
    const holes = await query(ready, UNACCOUNTED);
    app.signal('SIGINT');
    expect((await app.outcome).code).toBe(0);
    expect(holes).toEqual([]);
  });
});

interface KisSums {
  readonly tick: number;
  readonly repeated: number;
  readonly missed_volume: string;
}

const RECENT = `SELECT * FROM tick_data
  WHERE symbol = '005930' AND time >= NOW() - INTERVAL '1 hour' ORDER BY time DESC LIMIT 100`;
const UNACCOUNTED = `
  WITH traded AS (
    SELECT symbol, split_part(trade_id, '-', 2) AS day, sum(volume) AS volume,
           max(split_part(trade_id, '-', 3)::numeric) - min(split_part(trade_id, '-', 3)::numeric - volume) AS through
      FROM tick_data WHERE exchange = 'kis' GROUP BY symbol, day),
  missed AS (SELECT symbol, sum(missed_volume) AS volume FROM market_gap WHERE exchange = 'kis' GROUP BY symbol)
  SELECT symbol, sum(through) AS through, sum(traded.volume) AS traded, max(coalesce(missed.volume, 0)) AS missed
    FROM traded LEFT JOIN missed USING (symbol)
   GROUP BY symbol HAVING sum(through) <> sum(traded.volume) + max(coalesce(missed.volume, 0))`;

describe('recorded frames of KIS beside those of Upbit', { timeout: 120_000 }, () => {
  it('are stored once, with what is missing and what came twice, the books on the day of the recording', async () => {
    const recording = writeMixedRecording(folder.path, 1_000);
    const args = ['--frames', recording.path, '--speed', 'max', '--data-dir', join(folder.path, 'replay')];
    const app = new App([...args, '--hold']);
    const ready = await app.next('ready');
    expect(await app.next('summary')).toMatchObject({
      ok: true,
      sent: recording.frames,
      published: recording.ticks + recording.books,
      dropped: { rejected: 0, repeated: recording.repeated },
      venues: { kis: { repeated: recording.repeated, missed_volume: String(recording.missedVolume) } },
      hot: { tick: recording.ticks, orderbook: recording.books, duplicates: 0 },
    });
    const [book] = await query(
      ready,
      `SELECT extract(epoch FROM min(time))::int AS first FROM orderbook WHERE exchange = 'kis'`,
    );
    expect(book).toEqual({ first: recording.firstBookAt });
    app.signal('SIGINT');
    await app.outcome;
    const again = await runApp(args);
    expect(again.summary).toMatchObject({ ok: true, sent: 0, published: 0, gaps: 0 });
  });

  it('are told to be missing and repeated alike by one run and by two', async () => {
    const recording = writeMixedRecording(folder.path, 400, 1);
    const args = ['--frames', recording.path, '--data-dir', join(folder.path, 'resumed')];
    const first = new App([...args, '--speed', '20']);
    while (Number((await first.next('status'))['published']) === 0);
    first.signal('SIGINT');
    const runs = [await first.outcome, await runApp([...args, '--speed', 'max'])];
    const [cut, rest] = runs.map(({ summary }) => (summary?.['venues'] as { kis: KisSums } | undefined)?.kis);
    expect(Math.min(cut?.tick ?? 0, rest?.tick ?? 0)).toBeGreaterThan(0);
    expect((cut?.repeated ?? 0) + (rest?.repeated ?? 0)).toBe(recording.repeated);
    expect(Number(cut?.missed_volume) + Number(rest?.missed_volume)).toBe(recording.missedVolume);
  });
});
