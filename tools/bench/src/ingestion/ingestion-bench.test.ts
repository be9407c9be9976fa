import { execFile, type ExecFileException } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { EmbeddedEventLog } from '@aipx/event-log';
import { kafkaUnavailable } from '@aipx/stack';
import { describe, expect, it, onTestFinished } from 'vitest';
import { SimulatedInput } from '../input.ts';
import { slopeOf } from './flat.ts';
import { LatencyHistogram, LatencyRecorder } from './latency.ts';
import { Metrics } from './metrics-text.ts';
import { readOptions } from './options.ts';
import type { IngestionReport } from './report.ts';
import { TapePlayer, writeTape } from './tape.ts';

const MAIN = join(import.meta.dirname, 'main.ts');
const MINUTES_MS = 180_000;
const noKafka = kafkaUnavailable();

describe.skipIf(noKafka !== undefined)(`the ingestion bench${noKafka === undefined ? '' : ` (${noKafka})`}`, () => {
  it(
    'measures the service beside a bare producer, climbs, prints tables and writes every figure with its unit',
    async () => {
      const { stdout, report } = await bench('--quick');
      for (const rate of [200, 1_000]) {
        const valueOf = (what: string, of = 'service') =>
          report.figures.find((figure) => figure.what === what && figure.of === of && figure.rate === rate)?.value;
        expect(valueOf('sent')).toBeGreaterThan(rate);
        expect(valueOf('received')).toBe(valueOf('sent'));
        expect(valueOf('in Kafka')).toBe(valueOf('published'));
        expect(valueOf('sent', 'bare kafkajs')).toBeGreaterThan(rate);
        for (const of of ['service', 'bare kafkajs']) {
          expect(valueOf('frame to acknowledgement, 99 %', of)).toBeGreaterThan(0);
          expect(valueOf('resident memory, highest', of)).toBeGreaterThan(0);
          expect(valueOf('CPU', of)).toBeGreaterThan(0);
        }
      }
      expect(report.steps?.[0]).toMatchObject({ rate: 1_500, heldRate: expect.any(Number) as number });
      expect(report.machine).toMatchObject({ node: process.version });
      expect(stdout).toContain('| frame to acknowledgement, 99 %');
      expect(stdout).toContain('Highest rate held');
    },
    MINUTES_MS,
  );
});

describe('the ingestion bench', () => {
  it.each([
    ['--only=warm', '--only: there is no "warm"'],
    ['--rates=1000,fast', '--rates: expected a number above 0, got "fast"'],
    ['--seconds=-1', '--seconds: expected a number above 0, got "-1"'],
    ['--fast', "Unknown option '--fast'"],
  ])('refuses %s, and says what is wrong and what there is', async (argument, says) => {
    const { code, stderr } = (await bench(argument).catch((error: unknown) => error)) as ExecFileException;
    expect(code).toBe(2);
    expect(stderr).toContain(says);
    expect(stderr).toContain('--only rates,ceiling');
  });

  it('takes flags of Node.js as one word', () => {
    const { nodeFlags } = readOptions(['--node-flags=--max-semi-space-size=2 --expose-gc']);
    expect(nodeFlags).toEqual(['--max-semi-space-size=2', '--expose-gc']);
  });
});

describe('a latency histogram', () => {
  const TEXT = [
    '# TYPE x_seconds histogram',
    'x_seconds_bucket{le="0.001"} 10',
    'x_seconds_bucket{le="0.002"} 90',
    'x_seconds_bucket{le="+Inf"} 100',
    'x_seconds_count 100',
  ].join('\n');

  it('is read from metrics, and a share of it lies evenly within a bucket', () => {
    const latency = new Metrics(TEXT).latency('x_seconds');
    expect(latency.quantile(0.1)).toBeCloseTo(1);
    expect(latency.quantile(0.5)).toBeCloseTo(1.5);
    expect(latency.quantile(0.99)).toBe(Infinity);
    expect(latency.max).toBe(Infinity);
  });

  it('is what has come since an earlier one', () => {
    const earlier = new Metrics(TEXT).latency('x_seconds');
    const text = TEXT.replace(' 10\n', ' 30\n').replace(' 90\n', ' 110\n').replaceAll(' 100', ' 120');
    const since = new Metrics(text).latency('x_seconds').since(earlier);
    expect(since.count).toBe(20);
    expect(since.max).toBe(1);
  });

  it('is missed when it is not there, instead of being taken for 0', () => {
    expect(() => new Metrics(TEXT).latency('y_seconds')).toThrow('no y_seconds_bucket');
  });

  it('of recorded values tells them to a tenth of a millisecond', () => {
    const recorder = new LatencyRecorder();
    for (let ms = 1; ms <= 100; ms += 1) recorder.record(ms);
    const latency = new LatencyHistogram(recorder.buckets());
    expect(latency.count).toBe(100);
    expect(latency.quantile(0.5)).toBeCloseTo(50);
    expect(latency.quantile(0.99)).toBeCloseTo(99);
    expect(latency.max).toBe(100);
  });
});

describe('a tape', () => {
  it('plays the records of a log, byte for byte', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'aipx-bench-test-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const { signal } = new AbortController();
    const topics = { 'market.tick': 3, 'market.orderbook': 2 };
    const log = await EmbeddedEventLog.open({ path: join(folder, 'log.sqlite'), topics, signal });
    onTestFinished(() => log.close());
    const input = new SimulatedInput();
    const entries = [...input.entries('tick', 3_000), ...input.entries('orderbook', 300)];
    await log.append(entries);

    const path = join(folder, 'tape');
    const partitions = await Promise.all(log.topics.map((topic) => log.partitionsOf(topic)));
    await writeTape(path, log, partitions.flat(), signal);
    const player = new TapePlayer(path);
    const first = await player.take(10);
    expect(first).toHaveLength(10);
    const played = [...first, ...(await player.take(10_000))];

    const textOf = (of: { topic: string; key: string; headers: object; value: Uint8Array }) =>
      [of.topic, of.key, JSON.stringify(of.headers), Buffer.from(of.value).toString('hex')].join(' ');
    expect(played.map(textOf).sort()).toEqual(entries.map(textOf).sort());
    for (const { topic, key, partition } of played) expect(partition).toBe(log.partitionFor(topic, key).partition);
  });
});

describe('a slope', () => {
  it('is that of the line that fits best', () => {
    expect(
      slopeOf([
        [1, 10],
        [2, 13],
        [3, 13],
        [4, 16],
      ]),
    ).toBeCloseTo(1.8);
    expect(slopeOf([[1, 10]])).toBe(0);
  });
});

async function bench(
  ...args: readonly string[]
): Promise<{ readonly stdout: string; readonly report: IngestionReport }> {
  const folder = await mkdtemp(join(tmpdir(), 'aipx-bench-test-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const out = join(folder, 'bench.json');
  const { stdout } = await promisify(execFile)(process.execPath, [MAIN, ...args, '--out', out]);
  return { stdout, report: JSON.parse(await readFile(out, 'utf8')) as IngestionReport };
}
