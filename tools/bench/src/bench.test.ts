import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { CHANNELS, type Report } from './figures.ts';
import { SimulatedInput } from './input.ts';
import { spreadOf } from './measure.ts';

const MAIN = join(import.meta.dirname, 'main.ts');
const MEASURES = [
  'parse: size of a frame',
  'parse: frame to record',
  'parse: of it JSON, every digit kept',
  'parse: of it normalising',
  'parse: JSON.parse instead, digits lost',
  'encode: size of a record',
  'encode: record to Protobuf',
  'encode: Protobuf to record',
  'log: append',
  'log: read',
  'hot: log to PostgreSQL',
  'cold: log to Parquet',
  'cold: size in Parquet',
];

describe('the bench', () => {
  it('measures every stretch for trades and books, prints a table and writes every figure with its unit', async () => {
    const { stdout, report } = await bench('--quick');
    const measured = report.figures.map(({ group, what, of }) => `${group}: ${what} (${of})`);
    expect(measured.sort()).toEqual(MEASURES.flatMap((name) => CHANNELS.map((of) => `${name} (${of})`)).sort());
    for (const { what, median, min, max, unit } of report.figures) {
      // The difference of two measurements: a busy machine may turn it around.
      expect(min).toBeGreaterThan(what === 'of it normalising' ? -Infinity : 0);
      expect(median).toBeGreaterThanOrEqual(min);
      expect(max).toBeGreaterThanOrEqual(median);
      expect(unit).not.toBe('');
    }
    expect(report.machine).toMatchObject({ node: process.version, cores: expect.any(Number) as number });
    for (const name of MEASURES) expect(stdout).toContain(`| ${name} `);
  });

  it('measures only what is asked for', async () => {
    const { report } = await bench('--quick', '--only', 'encode');
    expect(new Set(report.figures.map(({ group }) => group))).toEqual(new Set(['encode']));
  });

  it('refuses a group that there is not, and says which there are', async () => {
    await expect(bench('--only', 'warm')).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringContaining('parse,encode,log,hot,cold') as string,
    });
  });
});

describe('the input', () => {
  it('is the same in every run, and never the same trade twice', () => {
    const [one, other] = [new SimulatedInput(), new SimulatedInput()];
    const trades = one.events('tick', 1_000);
    expect(trades).toEqual(other.events('tick', 1_000));
    expect(new Set(trades.map((event) => event.kind === 'tick' && event.tradeId)).size).toBe(1_000);
  });

  it('has 15 levels on each side of every book', () => {
    for (const book of new SimulatedInput().events('orderbook', 1_000)) {
      expect(book).toMatchObject({ bids: { length: 15 }, asks: { length: 15 } });
    }
  });
});

describe('a spread', () => {
  it('is the middle sample, or the mean of the two in the middle, with the extremes', () => {
    expect(spreadOf([3, 1, 10])).toEqual({ median: 3, min: 1, max: 10 });
    expect(spreadOf([4, 1, 10, 2])).toEqual({ median: 3, min: 1, max: 10 });
  });
});

async function bench(...args: readonly string[]): Promise<{ readonly stdout: string; readonly report: Report }> {
  const folder = await mkdtemp(join(tmpdir(), 'aipx-bench-test-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const out = join(folder, 'bench.json');
  const { stdout } = await promisify(execFile)(process.execPath, [MAIN, ...args, '--out', out]);
  return { stdout, report: JSON.parse(await readFile(out, 'utf8')) as Report };
}
