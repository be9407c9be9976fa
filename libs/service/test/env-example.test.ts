import { parseEnv } from 'node:util';
import { describe, expect, it } from 'vitest';
import { envExample, loadSettings } from '../src/index.js';
import { sampleSchema } from './support/sample-schema.js';
import { tempFolder } from './support/temp-folder.js';

const example = envExample(sampleSchema);

describe('the example of .env', () => {
  it('has every setting, once, with its meaning, what is right and its default', () => {
    for (const { setting } of sampleSchema.placed) {
      expect(example.match(new RegExp(`^#?${setting.env}=`, 'gm')), setting.env).toHaveLength(1);
      expect(example.replaceAll('\n#', '')).toContain(` ${setting.describe}.`);
    }
    expect(example).toContain(
      '# How long a first record waits. A duration from 0ms to 1s (units: ms, s, m, h).\n#KAFKA_LINGER=5ms\n',
    );
    expect(example).toContain(
      '# Secret of the key. A text. Secret: never in YAML or flags. Not set by default.\n#KIS_API_SECRET=\n',
    );
    expect(example).toContain('Also named KIS_HEARTBEAT_INTERVAL.');
  });

  it('says how names stand in YAML', () => {
    expect(example).toContain('LOG_LEVEL is service.logLevel.');
  });

  it('sets only what has no default and must be given', () => {
    expect({ ...parseEnv(example) }).toEqual({ MARKETS: 'upbit:KRW-BTC' });
  });

  it('is a .env that loads, as it is and with every line switched on', async () => {
    using folder = tempFolder({ '.env': example });
    const asItIs = await loadSettings(sampleSchema, { environment: {}, folder: folder.path });
    folder.write('.env', example.replaceAll(/^#(?=[A-Z])/gm, ''));
    const allOn = await loadSettings(sampleSchema, { environment: {}, folder: folder.path });
    expect(allOn.values).toEqual(asItIs.values);
    expect(allOn.warnings).toEqual([]);
  });

  it('has no line that is too long to read', () => {
    for (const line of example.split('\n')) expect(line.length).toBeLessThanOrEqual(120);
  });
});
