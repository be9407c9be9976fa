import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { check, sumOf, type Verdict } from '../src/check/check.ts';
import { ColdLake } from '../src/check/cold-listing.ts';
import { Cuts } from '../src/cuts.ts';

/** Two batches of five trades each, in one partition. */
const END = 10;
const BATCHES = [0, 5];
const PER_BATCH = 5;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'aipx-faults-check-'));
  await writeLog(offsets(0, END));
  await writeHot(offsets(0, END));
  await writeFile(join(folder, 'hot-gone.tsv'), '');
  for (const begin of BATCHES) await writeBatch(begin, offsets(begin, begin + PER_BATCH));
});
afterEach(() => rm(folder, { recursive: true }));

const offsets = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => from + index);
const printAt = (offset: number) => `KRW-BTC ${offset} ${offset} 1.000000000000 2.000000000000`;

async function writeLog(stored: readonly number[]): Promise<void> {
  const lines = stored.map((offset) => `market.tick\t0\t${offset}\texchange=faults,print=${printAt(offset)}\n`);
  await writeFile(join(folder, 'log.tsv'), lines.join(''));
}

async function writeHot(stored: readonly number[], print = printAt): Promise<void> {
  const lines = stored.map((offset) => `market.tick\t0\t${offset}\t${print(offset)}\n`);
  await writeFile(join(folder, 'hot.tsv'), lines.join(''));
}

const nameAt = (begin: number) =>
  `tick/year=2024/month=10/day=01/hour=00/market.tick-0-${String(begin).padStart(20, '0')}.parquet`;

async function writeBatch(begin: number, stored: readonly number[], missing: readonly [string, string][] = []) {
  await writeParquet(nameAt(begin), stored);
  await writeEntry(begin, stored.length, missing);
}

async function writeEntry(begin: number, rows: number, missing: readonly [string, string][] = []): Promise<void> {
  const entry = {
    ...{ topic: 'market.tick', partition: 0, begin: `${begin}`, end: `${begin + PER_BATCH}`, missing },
    files: [{ name: nameAt(begin), rows }],
  };
  const path = join(folder, 'lake', '_manifest', `market.tick-0-${String(begin).padStart(20, '0')}.json`);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, JSON.stringify(entry));
}

async function writeParquet(name: string, stored: readonly number[]): Promise<void> {
  const path = join(folder, 'lake', name);
  await mkdir(dirname(path), { recursive: true });
  const instance = await DuckDBInstance.create();
  const connection = await instance.connect();
  await connection.run(`COPY (
    SELECT 'KRW-BTC' AS symbol, make_timestamp(off) AS time, off::VARCHAR AS trade_id,
      1::DECIMAL(38,12) AS price, 2::DECIMAL(38,12) AS volume, 0 AS log_partition, off AS log_offset
    FROM unnest([${stored.join(', ')}]::BIGINT[]) AS offsets (off)) TO '${path}' (FORMAT parquet)`);
  connection.closeSync();
  instance.closeSync();
}

async function verdict(cuts = new Cuts()): Promise<Verdict> {
  const lakeFolder = join(folder, 'lake');
  const ranges = [{ topic: 'market.tick', partition: 0, begin: 0, end: END }];
  return await check({ folder, lakeFolder, ranges, cuts, cold: await new ColdLake(lakeFolder).list() });
}

/** Retention took everything below. */
function cutBefore(offset: number): Cuts {
  const cuts = new Cuts();
  cuts.add('market.tick', 0, offset);
  return cuts;
}

const SOUND = { lost: 0, doubled: 0, cut: 0, wrong: 0 };

describe('the check', () => {
  it('finds nothing where each record stands once in both stores', async () => {
    expect(await verdict()).toEqual({ records: END, hot: SOUND, cold: SOUND, lines: [] });
  });

  it('finds a row that was deleted from the database', async () => {
    await writeHot(offsets(0, END).filter((offset) => offset !== 3));
    const { hot, cold, lines } = await verdict();
    expect([hot, cold]).toEqual([{ ...SOUND, lost: 1 }, SOUND]);
    expect(lines).toEqual(['hot: lost: market.tick/0/3']);
  });

  it('finds rows that stand twice in the database', async () => {
    await writeHot([...offsets(0, END), 3, 3, 7]);
    const { hot, lines } = await verdict();
    expect(hot).toEqual({ ...SOUND, doubled: 3 });
    expect(lines).toEqual(['hot: doubled: market.tick/0/3, market.tick/0/7']);
  });

  it('finds a row with other content than the log’s', async () => {
    await writeHot(offsets(0, END), (offset) => printAt(offset === 4 ? 5 : offset));
    const { hot, lines } = await verdict();
    expect(hot).toEqual({ ...SOUND, wrong: 1 });
    expect(lines).toEqual(['hot: other content: market.tick/0/4', 'hot and cold differ: market.tick/0/4']);
  });

  it('finds a row of no record', async () => {
    await writeHot([...offsets(0, END), END]);
    expect((await verdict()).hot).toEqual({ ...SOUND, wrong: 1 });
  });

  it('finds a row that a file lacks, and that the entry says otherwise', async () => {
    await writeParquet(nameAt(5), [5, 6, 8, 9]);
    const { cold, lines } = await verdict();
    expect(cold).toEqual({ ...SOUND, lost: 1 });
    expect(lines).toEqual([`${nameAt(5)} has 4 rows; its manifest entry says 5`, 'cold: lost: market.tick/0/7']);
  });

  it('finds rows that stand twice because a file lies there that no entry names', async () => {
    const name = nameAt(2);
    await writeParquet(name, [2, 3]);
    const { cold, lines } = await verdict();
    expect(cold).toEqual({ ...SOUND, doubled: 2 });
    expect(lines).toContain(`${name} is named by no manifest entry`);
  });

  it('finds a file that is gone, and a hole between batches', async () => {
    await rm(join(folder, 'lake', nameAt(0)));
    await rm(join(folder, 'lake', '_manifest', 'market.tick-0-00000000000000000000.json'));
    const { cold, lines } = await verdict();
    expect(cold).toEqual({ ...SOUND, lost: 5 });
    expect(lines).toContain('market.tick/0: a batch begins at 5; the one before ended at 0');
  });

  it('counts apart what retention took and the stores name', async () => {
    await writeLog(offsets(4, END));
    await writeHot([0, 1, ...offsets(4, END)]);
    await writeFile(join(folder, 'hot-gone.tsv'), 'market.tick\t0\t2\t4\n');
    await writeBatch(0, [0, 4], [['1', '4']]);
    const { hot, cold, lines } = await verdict(cutBefore(4));
    expect([hot, cold]).toEqual([
      { ...SOUND, cut: 2 },
      { ...SOUND, cut: 3 },
    ]);
    expect(lines).toEqual([]);
  });

  it('finds lost what retention took and no store names', async () => {
    await writeLog(offsets(4, END));
    await writeHot(offsets(4, END));
    expect((await verdict(cutBefore(4))).hot).toEqual({ ...SOUND, lost: 4 });
  });

  it('finds lost what a store calls gone though nobody took it', async () => {
    await writeHot(offsets(0, END).filter((offset) => offset !== 8));
    await writeFile(join(folder, 'hot-gone.tsv'), 'market.tick\t0\t8\t9\n');
    expect((await verdict(cutBefore(4))).hot).toEqual({ ...SOUND, lost: 1 });
  });

  it('finds doubled what a store has and calls gone', async () => {
    await writeFile(join(folder, 'hot-gone.tsv'), 'market.tick\t0\t2\t4\n');
    expect((await verdict(cutBefore(4))).hot).toEqual({ ...SOUND, doubled: 2 });
  });

  it('does not trust a log that it could not read whole', async () => {
    await writeLog(offsets(1, END));
    expect((await verdict()).lines).toEqual([
      'the log was not read whole: 1 offsets missing, 0 twice, 0 without a print',
    ]);
  });

  it('adds both stores up', async () => {
    await writeHot([...offsets(1, END), 5]);
    await writeBatch(5, [5, 6, 7, 8]);
    expect(sumOf(await verdict())).toEqual({ lost: 2, doubled: 1, wrong: 0 });
  });
});
