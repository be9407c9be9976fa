import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { RunningApp } from './support/app.js';

async function ended(settings: Readonly<Record<string, string>>, args: readonly string[] = []) {
  const app = new RunningApp(settings, args);
  const code = await app.exited;
  return { code, text: app.texts.join('\n'), lines: app.lines };
}

describe('wrong usage ends with code 2 before anything is opened', () => {
  it('and names every fault at once: name, value, where from and what is right', async () => {
    const { code, text } = await ended({
      MARKETS: 'upbit:BTC-KRW,KRW-ETH',
      KAFKA_BROKERS: 'localhost',
      KAFKA_LINGER: '5',
      BUFFER_PRIORITY: 'gold',
    });
    expect(code).toBe(2);
    expect(text).toMatch(/BTC-KRW.*KRW-BTC/);
    expect(text).toMatch(/KRW-ETH.*names no venue/);
    expect(text).toMatch(/KAFKA_BROKERS.*environment.*localhost:9092/);
    expect(text).toMatch(/KAFKA_LINGER.*"5" is not a duration/);
    expect(text).toMatch(/BUFFER_PRIORITY.*"gold".*trades/);
  });

  it('for an empty list of markets', async () => {
    const { code, text } = await ended({});
    expect(code).toBe(2);
    expect(text).toMatch(/MARKETS/);
  });

  it('for an unknown key of the YAML file, with the nearest name and the line', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'aipx-config-')), 'config.yaml');
    writeFileSync(file, 'markets: [upbit:KRW-BTC]\nkafka:\n  lingr: 5ms\n');
    const { code, text } = await ended({}, ['--config', file]);
    expect(code).toBe(2);
    expect(text).toMatch(/lingr/);
    expect(text).toMatch(/linger/);
    expect(text).toMatch(/line 3/);
  });

  it('for a flag that there is not', async () => {
    const { code, text } = await ended({ MARKETS: 'upbit:KRW-BTC' }, ['--market', 'KRW-BTC']);
    expect(code).toBe(2);
    expect(text).toMatch(/--market/);
  });

  it('for a spill folder that cannot be one', async () => {
    const { code, lines, text } = await ended({ MARKETS: 'upbit:KRW-BTC', SPILL_DIR: '/dev/null/spill' });
    expect(code).toBe(2);
    expect([...lines.map(({ message }) => message), text].join('\n')).toMatch(/\/dev\/null\/spill/);
  });
});

describe('KIS markets end it with code 2', () => {
  it('without keys, saying where to get them and where to put them', async () => {
    const { code, text } = await ended({ MARKETS: 'kis:005930,upbit:KRW-BTC' });
    expect(code).toBe(2);
    expect(text).toMatch(
      /one fault.*\n?.*KIS_API_KEY \(not set\): .*https:\/\/apiportal\.koreainvestment\.com.*KIS_API_KEY and KIS_API_SECRET.*KIS_ACCOUNTS_FILE/s,
    );
  });

  it('with more streams than the keys carry, saying how many it takes', async () => {
    const codes = Array.from({ length: 42 }, (_, index) => `kis:${String(100_000 + index)}`);
    const { code, lines } = await ended({
      MARKETS: codes.join(','),
      KIS_API_KEY: 'a-made-up-app-key',
      KIS_API_SECRET: 'a-made-up-app-secret',
      TMPDIR: mkdtempSync(join(tmpdir(), 'aipx-machine-')),
    });
    expect(code).toBe(2);
    expect(lines.at(-1)?.message).toMatch(/84 streams of KIS .*take 4 app keys, 41 registrations each, and there is 1/);
  });

  it('with an accounts file that others may read', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'aipx-config-')), 'accounts');
    writeFileSync(file, 'main a-made-up-app-key a-made-up-app-secret\n', { mode: 0o644 });
    const { code, lines } = await ended({ MARKETS: 'kis:005930', KIS_ACCOUNTS_FILE: file });
    expect(code).toBe(2);
    expect(lines.at(-1)?.message).toMatch(/has mode 644; it holds secrets and must have 600/);
  });
});

describe('help', () => {
  it('shows the flags, the settings in effect and the example file', async () => {
    const help = await ended({}, ['--help']);
    expect([help.code, help.text.includes('--markets')]).toEqual([0, true]);
    const config = await ended({ MARKETS: 'upbit:KRW-BTC' }, ['--print-config']);
    expect([config.code, config.text.includes('KAFKA_BROKERS')]).toEqual([0, true]);
    const example = await ended({}, ['--print-env-example']);
    expect([example.code, example.text.includes('SPILL_DIR')]).toEqual([0, true]);
  });
});
