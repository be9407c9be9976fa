import { execFile, type ExecFileException } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { kafkaUnavailable } from '@aipx/stack';
import { describe, expect, it, onTestFinished } from 'vitest';
import { lossesOf, type FlatMeasurement } from './flat.ts';
import { readOptions } from './options.ts';
import type { RecorderReport } from './report.ts';

const MAIN = join(import.meta.dirname, 'main.ts');
const MINUTES_MS = 180_000;
const noKafka = kafkaUnavailable();

const HOT = [
  '1 partition, 1 writer',
  '1 partition, 1 writer beside COPY',
  '1 partition, COPY of the same rows',
  '6 partitions, 1 writer',
  '6 partitions, 1 writer beside COPY',
  '6 partitions, 2 writers',
  '6 partitions, 2 writers beside COPY',
  '6 partitions, COPY of the same rows',
];
const COLD = [
  'log to Parquet',
  'ours beside DuckDB',
  'DuckDB, appender and COPY',
  'DuckDB, of it the appender',
  'DuckDB, of it COPY',
  'size',
  'size of DuckDB’s',
];

describe('the recorder bench', () => {
  it(
    'measures both recorders beside COPY and DuckDB, prints a table and writes every figure with its unit',
    async () => {
      const { stdout, report } = await bench('--quick', '--only', 'hot,cold');
      for (const of of ['tick', 'orderbook']) {
        const found = report.figures.filter((figure) => figure.of === of);
        expect(found.map(({ what }) => what)).toEqual([...HOT, ...COLD]);
        for (const { median, min, max, unit } of found) {
          expect(min).toBeGreaterThan(0);
          expect(median).toBeGreaterThanOrEqual(min);
          expect(max).toBeGreaterThanOrEqual(median);
          expect(unit).not.toBe('');
        }
      }
      expect(report.machine).toMatchObject({ node: process.version });
      expect(report.copyProgram).toMatch(/psql|pg-copy-streams/);
      expect(stdout).toContain('| cold: ours beside DuckDB');
    },
    MINUTES_MS,
  );

  it.skipIf(noKafka !== undefined)(
    `keeps the service under load, and counts what both stores hold${noKafka === undefined ? '' : ` (${noKafka})`}`,
    async () => {
      const { stdout, report } = await bench('--quick', '--only', 'flat', '--rate', '300');
      const { flat } = report;
      expect(flat?.sent).toEqual({ tick: 540, orderbook: 360 });
      expect(flat?.inDatabase).toEqual(flat?.sent);
      expect(flat?.inParquet).toEqual(flat?.sent);
      const memory = flat?.series.find(({ what }) => what === 'resident memory');
      expect(memory?.highest).toBeGreaterThanOrEqual(memory?.secondHalf ?? Infinity);
      expect(stdout).toContain('Both stores hold what was sent.');
    },
    MINUTES_MS,
  );

  it.each([
    ['--only=warm', '--only: there is no "warm"'],
    ['--rows=many', '--rows: expected a whole number above 0, got "many"'],
    ['--minutes=-1', '--minutes: expected a number above 0, got "-1"'],
    ['--fast', "Unknown option '--fast'"],
  ])('refuses %s', (argument, says) => {
    expect(() => readOptions([argument])).toThrow(says);
  });

  it('says what there is when it refuses an argument', async () => {
    const { code, stderr } = (await bench('--rounds=0').catch((error: unknown) => error)) as ExecFileException;
    expect(code).toBe(2);
    expect(stderr).toContain('--rounds: expected a whole number above 0, got "0"');
    expect(stderr).toContain('--only hot,cold,flat');
  });

  it('names each store that holds too much or too little', () => {
    const sent = { tick: 6, orderbook: 4 };
    const measured = { sent, inDatabase: sent, inParquet: { tick: 5, orderbook: 5 } } as FlatMeasurement;
    expect(lossesOf(measured)).toEqual([
      'the Parquet files: 5 tick rows, but 6 were sent',
      'the Parquet files: 5 orderbook rows, but 4 were sent',
    ]);
  });
});

async function bench(
  ...args: readonly string[]
): Promise<{ readonly stdout: string; readonly report: RecorderReport }> {
  const folder = await mkdtemp(join(tmpdir(), 'aipx-bench-test-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const out = join(folder, 'bench.json');
  const { stdout } = await promisify(execFile)(process.execPath, [MAIN, ...args, '--out', out]);
  return { stdout, report: JSON.parse(await readFile(out, 'utf8')) as RecorderReport };
}
