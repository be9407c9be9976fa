import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { RunningApp } from './support/app.js';

async function ended(settings: Readonly<Record<string, string>>, args: readonly string[] = []) {
  const app = new RunningApp(settings, args);
  const code = await app.exited;
  return { code, text: app.texts.join('\n') };
}

describe('wrong usage ends with code 2 before anything is opened', () => {
  it('and names every fault at once: name, value, where from and what is right', async () => {
    const { code, text } = await ended({
      KAFKA_BROKERS: 'localhost',
      KAFKA_TOPICS: 'market.trades',
      TIMESCALEDB_WRITE_ENABLED: 'false',
      S3_WRITE_ENABLED: 'false',
      SINK_MAX_LAG: '10',
    });
    expect(code).toBe(2);
    expect(text).toMatch(/KAFKA_BROKERS.*environment.*localhost:9092/);
    expect(text).toMatch(/KAFKA_TOPICS.*market\.trades.*market\.tick/);
    expect(text).toMatch(/S3_WRITE_ENABLED.*nothing would be recorded/);
    expect(text).toMatch(/SINK_MAX_LAG.*"10" is not a duration/);
  });

  it('for a password in the YAML file, without showing it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'aipx-config-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'config.yaml');
    writeFileSync(file, 'timescaledb:\n  password: hunter2-hunter2\n');
    const { code, text } = await ended({}, ['--config', file]);
    expect(code).toBe(2);
    expect(text).toMatch(/TIMESCALEDB_PASSWORD.*is a secret/);
    expect(text).not.toContain('hunter2');
  });

  it('for a flag that there is not', async () => {
    const { code, text } = await ended({}, ['--migrat']);
    expect(code).toBe(2);
    expect(text).toMatch(/--migrate/);
  });
});

describe('help', () => {
  it('shows the flags, the settings in effect and the example file', async () => {
    const help = await ended({}, ['--help']);
    expect([help.code, help.text.includes('--migrate')]).toEqual([0, true]);
    const config = await ended({ TIMESCALEDB_PASSWORD: 'hunter2' }, ['--print-config']);
    expect([config.code, config.text.includes('KAFKA_GROUP_ID'), config.text.includes('hunter2')]).toEqual([
      0,
      true,
      false,
    ]);
    const example = await ended({}, ['--print-env-example']);
    expect([example.code, example.text.includes('LAKE_DIR')]).toEqual([0, true]);
  });
});
