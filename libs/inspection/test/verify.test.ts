import { copyFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { parseDecimal } from '@aipx/market-model';
import { book, entryOf, gap, level, START, tick } from '@aipx/market-proto/testing';
import { describe, expect, it } from 'vitest';
import { DuckDb } from '../src/duckdb.js';
import { changedLog } from './support/changed-log.js';
import { recorded, type Checked, type Recorded } from './support/recorded.js';

const HOUR = 3_600_000_000_000n;

/** Trades and books over an hour's end, with values that DECIMAL(38,12) does not hold, and gaps. */
function market() {
  const numbers = Array.from({ length: 120 }, (_, n) => n);
  const at = (n: number) => ({ timestamp: START + BigInt(n) * (HOUR / 60n) });
  const huge = parseDecimal('123456789012345678901234567890.5');
  return [
    ...numbers.map((n) => tick(n, at(n))),
    tick(500, { price: huge, volume: parseDecimal('0.0000000000001'), change: undefined, side: undefined }),
    ...numbers.map((n) => book(n, at(n))),
    book(500, { bids: [level('123456789012345678901234567890.5', '1'), level('2', '3')], asks: [] }),
    gap(1),
    gap(2, { channel: 'orderbook', from: 0n, missedVolume: parseDecimal('1.25'), detail: 'tab\tand \\ and\nline' }),
  ].map(entryOf);
}

const names = ({ found }: Checked) =>
  found.map(({ kind, store, partition, offset, symbol, file }) => ({
    kind,
    store,
    ...(partition && { at: `${partition.topic}/${partition.partition}/${offset ?? ''}` }),
    ...(symbol !== undefined && { symbol }),
    ...(file !== undefined && { file }),
  }));

async function anyTick({ sql }: Recorded) {
  const [row] = await sql(
    'SELECT log_partition AS partition, log_offset::int AS offset, symbol, price::text FROM tick_data ORDER BY time LIMIT 1 OFFSET 7',
  );
  return row as { partition: number; offset: number; symbol: string; price: string };
}

async function lakeRows(
  root: string,
  kind: string,
): Promise<readonly { file: string; partition: number; offset: string; symbol: string }[]> {
  await using duckdb = await DuckDb.open(new AbortController().signal);
  const { rows } = await duckdb.table(
    `SELECT filename, log_partition, log_offset, symbol FROM read_parquet('${root}/market-data/${kind}/**/*.parquet', filename = true) ORDER BY 2, 3`,
  );
  return rows.map(([file, partition, offset, symbol]) => ({
    file: String(file).slice(`${root}/market-data/`.length),
    partition: Number(partition),
    offset: String(offset),
    symbol: String(symbol),
  }));
}

describe('verify', () => {
  it('finds nothing where both stores hold every record once, digit by digit', async () => {
    const { check } = await recorded(market());
    const checked = await check();
    expect(checked.found).toEqual([]);
    expect(checked.total).toMatchObject({
      log: 244,
      database: 244,
      lake: 244,
      lost: 0,
      doubled: 0,
      different: 0,
      gaps: 2,
    });
    expect(checked.hours.filter(({ topic }) => topic === 'market.tick')).toMatchObject([
      { hour: '2021-04-17T16', log: 10, gaps: 1 },
      { hour: '2021-04-17T17', log: 60 },
      { hour: '2021-04-17T18', log: 51 },
    ]);
  });

  it('names a row that was deleted', async () => {
    const data = await recorded(market());
    const { partition, offset, symbol } = await anyTick(data);
    await data.sql('DELETE FROM tick_data WHERE log_partition = $1 AND log_offset = $2', [partition, offset]);
    const checked = await data.check();
    expect(names(checked)).toEqual([
      { kind: 'lost', store: 'database', at: `market.tick/${partition}/${offset}`, symbol },
    ]);
    expect(checked.total).toMatchObject({ lost: 1, doubled: 0, different: 0, database: 243 });
  });

  it('names a book that stands twice', async () => {
    const data = await recorded(market());
    await data.sql('INSERT INTO orderbook SELECT * FROM orderbook WHERE log_partition = 0 AND log_offset = 3');
    const checked = await data.check();
    expect(checked.found).toMatchObject([
      {
        kind: 'doubled',
        store: 'database',
        partition: { topic: 'market.orderbook', partition: 0 },
        offset: 3n,
        says: 'stands 2 times',
      },
    ]);
    expect(checked.total).toMatchObject({ lost: 0, doubled: 1, database: 245 });
  });

  it('names rows where the log has no offset: behind its end, and in a partition that is not there', async () => {
    const data = await recorded(market());
    await data.sql(`INSERT INTO tick_data SELECT (jsonb_populate_record(t,
      '{"log_partition": 1, "log_offset": 9000, "trade_id": "x"}')).* FROM tick_data t ORDER BY time LIMIT 1`);
    await data.sql(
      `INSERT INTO market_gap SELECT (jsonb_populate_record(g, '{"log_partition": 3}')).* FROM market_gap g LIMIT 1`,
    );
    const [tickRow] = await data.sql(`SELECT symbol FROM tick_data WHERE trade_id = 'x'`);
    const [gapRow] = await data.sql(`SELECT symbol, log_offset FROM market_gap WHERE log_partition = 3`);
    const { end } = await data.log.range({ topic: 'market.tick', partition: 1 });
    const checked = await data.check();
    expect(names(checked)).toEqual([
      { kind: 'different', store: 'database', at: 'market.tick/1/9000', symbol: tickRow?.['symbol'] },
      {
        kind: 'different',
        store: 'database',
        at: `market.gap/3/${String(gapRow?.['log_offset'])}`,
        symbol: gapRow?.['symbol'],
      },
    ]);
    expect(checked.found.map(({ says }) => says)).toEqual([
      `a row stands here, and the log ends before offset ${end}`,
      'a row stands here, and the topic has no such partition, its 3 count from 0',
    ]);
    expect(checked.total).toMatchObject({ log: 244, database: 246, lost: 0, doubled: 0, different: 2 });
    expect((await data.check({ range: { topic: 'market.orderbook' } })).found).toEqual([]);
  });

  it('names a row in the table of a topic that is empty', async () => {
    const data = await recorded([entryOf(tick(1))]);
    await data.sql(`INSERT INTO market_gap (exchange, symbol, to_time, missed, detail, log_topic, log_partition, log_offset)
      VALUES ('upbit', 'KRW-BTC', '2024-05-01 09:00Z', 0, '', 'market.gap', 0, 0)`);
    const { found } = await data.check();
    expect(found).toMatchObject([
      { kind: 'different', says: 'a row stands here, and the log ends before offset 0', symbol: 'KRW-BTC' },
    ]);
  });

  it('names no row that a recorder stored while it looked', async () => {
    const data = await recorded(market());
    const { log } = data;
    const { partition: filled } = log.partitionFor('market.gap', gap(1).symbol);
    let asked = 0;
    const growing = changedLog(log, {
      range: async (partition) => {
        const { begin, end } = await log.range(partition);
        // The first two answers, to the scope and to the search, are from before the last record.
        const isLate = partition.topic === 'market.gap' && partition.partition === filled && (asked += 1) <= 2;
        return { begin, end: isLate && end > begin ? end - 1n : end };
      },
    });
    expect((await data.check({ log: growing })).found).toEqual([]);
    expect(asked).toBeGreaterThan(2);
  });

  it('names no row of a partition that was added while it looked, and one of a partition that is not there', async () => {
    const data = await recorded(market());
    const { log } = data;
    const { end } = await log.range({ topic: 'market.tick', partition: 2 });
    expect(end).toBeGreaterThan(0n);
    const asOpened = changedLog(log, { partitionsOf: async (topic) => (await log.partitionsOf(topic)).slice(0, 2) });
    const reopenLog = () => Promise.resolve(log);
    expect((await data.check({ log: asOpened, reopenLog })).found).toEqual([]);
    await data.sql('UPDATE market_gap SET log_partition = 3 WHERE log_offset = 0');
    const gone = (await data.sql('SELECT FROM market_gap WHERE log_partition = 3')).length;
    expect(gone).toBeGreaterThan(0);
    const { found } = await data.check({ log: asOpened, reopenLog });
    expect(found.filter(({ kind }) => kind === 'different').map(({ says }) => says)).toEqual(
      Array.from({ length: gone }, () => 'a row stands here, and the topic has no such partition, its 3 count from 0'),
    );
  });

  it('asks once where the log ends now, however many rows stand behind that', async () => {
    const data = await recorded(market());
    const rows = 5_000;
    await data.sql(
      `INSERT INTO market_gap SELECT (jsonb_populate_record(g, jsonb_build_object('log_offset', 9000 + n))).*
       FROM market_gap g, generate_series(1, $1) n WHERE g.missed_volume IS NULL`,
      [rows],
    );
    let asked = 0;
    const log = changedLog(data.log, {
      range: (partition) => {
        if (partition.topic === 'market.gap') asked += 1;
        return data.log.range(partition);
      },
    });
    expect((await data.check({ log })).total).toMatchObject({ different: rows });
    // Of each of the three partitions: for the scope, for the search, for what it found.
    expect(asked).toBe(9);
  });

  it('looks for no rows where the log has none when it is asked for some offsets', async () => {
    const data = await recorded(market());
    await data.sql(`INSERT INTO tick_data SELECT (jsonb_populate_record(t,
      '{"log_partition": 1, "log_offset": 9000, "trade_id": "x"}')).* FROM tick_data t ORDER BY time LIMIT 1`);
    const range = { topic: 'market.tick', partition: 1 };
    expect(names(await data.check({ range }))).toMatchObject([{ kind: 'different', at: 'market.tick/1/9000' }]);
    const checked = await data.check({ range: { ...range, offsets: { begin: 0n, end: 9_001n } } });
    expect(checked.found).toEqual([]);
    expect(checked.total.log).toBeGreaterThan(0);
  });

  it('names a digit that was changed in the database, in a price and in a level', async () => {
    const data = await recorded(market());
    const { partition, offset, price } = await anyTick(data);
    await data.sql('UPDATE tick_data SET price = price + 0.1 WHERE log_partition = $1 AND log_offset = $2', [
      partition,
      offset,
    ]);
    await data.sql(
      `UPDATE orderbook SET bids = jsonb_set(bids, '{1,quantity}', '"21"') WHERE log_partition = 1 AND log_offset = 2`,
    );
    const { found, total } = await data.check();
    expect(found.map(({ says }) => says)).toEqual([
      `price ${price}.1, expected ${price}`,
      expect.stringMatching(/^bids\[1\] .*"quantity": "21"}, expected .*"quantity": "20"}$/),
    ]);
    expect(total).toMatchObject({ different: 2, lost: 0, doubled: 0 });
  });

  it('names a file that is gone, once, and counts its rows as lost', async () => {
    const data = await recorded(market());
    const [{ file } = { file: '' }] = await lakeRows(data.root, 'tick');
    const rows = (await lakeRows(data.root, 'tick')).filter((row) => row.file === file).length;
    await rm(join(data.root, 'market-data', file));
    const checked = await data.check();
    expect(names(checked)).toEqual([{ kind: 'lost', store: 'lake', at: 'market.tick/0/', file }]);
    expect(checked.total).toMatchObject({ lost: rows, doubled: 0, different: 0 });
  });

  it('names a copied file, whatever its name, and counts its rows as doubled', async () => {
    const data = await recorded(market());
    const rows = await lakeRows(data.root, 'orderbook');
    const [{ file } = { file: '' }] = rows;
    const copy = file.replace('.parquet', ' (copy).parquet');
    await copyFile(join(data.root, 'market-data', file), join(data.root, 'market-data', copy));
    const checked = await data.check();
    expect(names(checked)).toEqual([{ kind: 'doubled', store: 'lake', file: copy }]);
    expect(checked.total).toMatchObject({ lost: 0, doubled: rows.filter((row) => row.file === file).length });
  });

  it('names a file that was written again, and the row with another digit in it', async () => {
    const data = await recorded(market());
    const [row] = await lakeRows(data.root, 'tick');
    if (row === undefined) throw new Error('the lake is empty');
    const path = join(data.root, 'market-data', row.file);
    await using duckdb = await DuckDb.open(new AbortController().signal);
    await duckdb.run(
      `COPY (SELECT * REPLACE (CASE WHEN log_offset = ${row.offset} THEN price + 0.000000000001 ELSE price END)::DECIMAL(38,12) AS price)
       FROM read_parquet('${path}', hive_partitioning = false)) TO '${path}.new' (FORMAT parquet)`.replace(
        'REPLACE (CASE',
        'REPLACE ((CASE',
      ),
    );
    await rename(`${path}.new`, path);
    const { found, total } = await data.check();
    expect(found).toMatchObject([
      { kind: 'damaged', store: 'lake', file: row.file },
      { kind: 'different', store: 'lake', offset: BigInt(row.offset), symbol: row.symbol, file: row.file },
    ]);
    expect(found[1]?.says).toMatch(/^price \d+\.000000000001, expected \d+$/);
    expect(total).toMatchObject({ different: 1, lost: 0, doubled: 0 });
  });
});
