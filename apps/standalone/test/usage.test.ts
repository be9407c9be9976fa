import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runApp, temporaryFolder } from './support/app.js';
import { writeRecording } from './support/recording.js';

const folder = temporaryFolder();
const data = ['--data-dir', join(folder.path, 'data')];
let recording: string;

beforeAll(() => {
  recording = writeRecording(folder.path, 10).path;
});

afterAll(() => {
  folder.remove();
});

/** One line, no stack, exit code 2 or 1, nothing on standard output. */
async function refusal(args: readonly string[]): Promise<{ code: number | null; sentence: string }> {
  const { code, errors, reports } = await runApp([...args], { cwd: folder.path });
  expect(reports).toEqual([]);
  expect(errors.trim().split('\n')).toHaveLength(1);
  expect(errors).not.toMatch(/\n\s+at /);
  return { code, sentence: errors };
}

describe('wrong usage is one sentence that names the value and helps', () => {
  it.each([
    ['an unknown flag', ['--fast'], /--fast.*--help/],
    ['a stray word', ['KRW-BTC'], /--help/],
    ['an unknown venue', ['--venue', 'binance'], /"binance".*upbit/],
    ['a code the wrong way round', ['--markets', 'BTC-KRW'], /BTC-KRW.*KRW-BTC/],
    ['a code without a dash', ['--markets', 'KRWBTC'], /KRWBTC.*KRW-BTC/],
    ['an empty list of codes', ['--markets', ','], /markets.*KRW-BTC/],
    ['a venue there is not', ['--markets', 'binance:BTCUSDT'], /"binance".*upbit, kis/],
    ['a code of another venue', ['--venue', 'kis', '--markets', 'KRW-BTC'], /KRW-BTC.*005930/],
    ['a code that lost its zeros', ['--markets', '5930'], /5930.*005930/],
    ['a negative rate', ['--rate', '-5'], /-5.*above 0/],
    ['a rate that is no number', ['--rate', 'fast'], /fast.*above 0/],
    ['a duration without a unit', ['--duration', '20'], /'20'.*20s/],
    ['a speed without frames', ['--speed', '2'], /--frames/],
    ['a speed of 0', ['--frames', 'recording-10.jsonl', '--speed', '0'], /'0'.*max/],
    ['frames and live together', ['--frames', 'recording-10.jsonl', '--live'], /--live and --frames/],
    ['a port out of range', ['--database-port', '70000'], /70000.*65535/],
    ['a missing file', ['--frames', 'nowhere.jsonl'], /nowhere\.jsonl/],
    ['a folder as file', ['--frames', '.'], /folder|directory/],
  ])('%s', async (_, args, sentence) => {
    const { code, sentence: said } = await refusal([...args, ...data]);
    expect(said).toMatch(sentence);
    expect(code).toBe(2);
  });

  it('an empty file, and one of another shape, say what shape is expected', async () => {
    const file = join(folder.path, 'other.csv');
    for (const content of ['', 'time,price\n1,2\n']) {
      writeFileSync(file, content);
      const { code, sentence } = await refusal(['--frames', file, ...data]);
      expect(sentence).toMatch(/other\.csv.*received_at_ns/s);
      expect(code).toBe(2);
    }
  });
});

it('a real venue whose keys are not there says which settings hold them and where to get them', async () => {
  const { code, errors, reports } = await runApp(['--live', '--markets', 'kis:005930', ...data], { cwd: folder.path });
  expect(reports).toEqual([]);
  expect(errors).toMatch(/KIS_API_KEY and KIS_API_SECRET.*\.env.*KIS_ACCOUNTS_FILE/);
  expect(errors).toMatch(/https:\/\/apiportal\.koreainvestment\.com/);
  expect(errors).not.toMatch(/\n\s+at /);
  expect(code).toBe(2);
});

describe('a place that cannot be had is one sentence', () => {
  it('a data folder that is a file', async () => {
    const file = join(folder.path, 'plain-file');
    writeFileSync(file, '');
    const { code, sentence } = await refusal(['--frames', recording, '--data-dir', join(file, 'data')]);
    expect(sentence).toContain(file);
    expect(code).toBe(2);
  });

  it('a data folder where none can be made', async () => {
    const { code, sentence } = await refusal(['--frames', recording, '--data-dir', '/proc/aipx/data']);
    expect(sentence).toContain('/proc/aipx/data');
    expect(code).toBe(2);
  });

  it('a read-only data folder', async () => {
    // Root may write to any folder but those of the kernel.
    const isRoot = process.getuid?.() === 0;
    const locked = isRoot ? '/sys/kernel' : join(folder.path, 'locked');
    if (!isRoot) mkdirSync(locked, { mode: 0o500 });
    const { code, sentence } = await refusal(['--frames', recording, '--data-dir', join(locked, 'data')]);
    expect(sentence).toMatch(new RegExp(`${locked}/data: (no permission|the file system is read-only)`));
    expect(code).toBe(2);
  });

  it('a port in use', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    try {
      const { code, sentence } = await refusal(['--frames', recording, '--database-port', String(port), ...data]);
      expect(sentence).toContain(String(port));
      expect([1, 2]).toContain(code);
    } finally {
      server.close();
    }
  });
});

it('--help lists the flags and is no error', () => {
  const main = join(import.meta.dirname, '..', 'dist', 'main.js');
  const { status, stdout } = spawnSync(process.execPath, [main, '--help'], { encoding: 'utf8' });
  expect(status).toBe(0);
  for (const flag of ['venue', 'markets', 'frames', 'speed', 'rate', 'live', 'duration', 'data-dir', 'hold', 'json']) {
    expect(stdout).toContain(`--${flag}`);
  }
});
