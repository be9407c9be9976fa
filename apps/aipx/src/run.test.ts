import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { run } from './run.js';

async function answer(args: readonly string[]) {
  const [out, errors]: string[][] = [[], []];
  const code = await run(args, {
    out: (text) => out?.push(text),
    note: (text) => errors?.push(text),
    signal: new AbortController().signal,
  });
  return { code, out: out?.join(''), errors: errors?.join('') };
}

describe('a lake without files', () => {
  it('is told of beside the empty answer, with where the rows are until then', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'aipx-command-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    await mkdir(join(folder, 'lake'));
    await writeFile(join(folder, 'event-log.sqlite'), '');
    const { code, out, errors } = await answer(['query', 'bars', '--data-dir', folder, '--symbol', 'KRW-BTC']);
    expect({ code, lines: out?.split('\n').length }).toEqual({ code: 0, lines: 2 });
    expect(errors).toMatch(
      /^the lake has no files of tick\. A run writes them .*; until then its rows are in its database,.*\n$/,
    );
  });
});

describe('wrong usage ends with 2 and says what is right', () => {
  it.each([
    [[], 'a command is missing (aipx --help says more)'],
    [['verfy'], "unknown command 'verfy'"],
    [['verify', '--frm', 'x'], "unknown option '--frm' (Did you mean --from?) (aipx verify --help says more)"],
    [
      ['verify', '--from', 'yesterday'],
      '--from: "yesterday" is not a time with its zone, such as 2024-05-01T09:00:00Z',
    ],
    [['verify', '--from', '2024-05-02', '--to', '2024-05-01'], '--to 2024-05-01 is not later than --from 2024-05-02'],
    [['verify', '--offsets', '1..2'], '--offsets 1..2 needs --topic and --partition'],
    [['verify', '--topic', 'ticks'], '--topic: "ticks" is not one of market.tick, market.orderbook, market.gap'],
    [['verify', '--data-dir', '/nowhere'], '--data-dir /nowhere holds no event log'],
    [['query', 'ticks'], "required option '--symbol <code>' not specified"],
    [['query', 'bars', '--symbol', 'KRW-BTC', '--interval', '2m'], '--interval: "2m" is not one of 1m, 5m, 1h'],
    [['migrate'], 'a command is missing (aipx migrate --help says more)'],
  ])('%j: %s', async (args, message) => {
    const { code, errors, out } = await answer(args);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(errors).toContain(`CONFIG_INVALID: ${message}`);
  });

  it('shows help for each command, with exit code 0', async () => {
    for (const args of [[], ['verify'], ['query'], ['query', 'bars'], ['migrate', 'up']]) {
      const { code, out } = await answer([...args, '--help']);
      expect(code).toBe(0);
      expect(out).toContain(`Usage: aipx ${args.join(' ')}`.trim());
    }
  });
});
