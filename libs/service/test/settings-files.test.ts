import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { defineSettings, loadSettings, rule, text } from '../src/index.js';
import { faultsOf, MARKETS } from './support/load-settings.js';
import { sampleSchema } from './support/sample-schema.js';
import { tempFolder } from './support/temp-folder.js';

describe('a settings file', () => {
  it.each([
    [
      'a mistake of YAML, by line and column',
      'kafka:\n  linger: "5ms\n',
      /^config\.yaml \(line 3, column 1\): Missing closing "quote$/,
    ],
    ['a key twice', 'venue: a\nvenue: b\n', /^config\.yaml \(line 2, column 1\): Map keys must be unique$/],
    ['an anchor that is none', 'venue: *nobody', /^venue \(config\.yaml line 1\): expected a plain value/],
    [
      'two documents',
      'venue: a\n---\nvenue: b\n',
      /^config\.yaml \(line 2, column 1\): Source contains multiple documents/,
    ],
    ['a list of settings', '- venue\n', /^config\.yaml \(config\.yaml line 1\): expected settings by name/],
    ['plain words', 'venue', /^config\.yaml \(config\.yaml line 1\): expected settings by name/],
    ['a value for a group', 'kafka: 5ms', /^kafka \(config\.yaml line 1\): is a group: expected its settings/],
    [
      'a group for a value',
      'kafka:\n  linger: { a: 1 }',
      /^kafka\.linger \(config\.yaml line 2\): expected a plain value/,
    ],
    ['a list of lists', 'kafka: { brokers: [[a]] }', /^kafka\.brokers \(config\.yaml line 1\): expected a plain value/],
    ['a key that is no text', '? [a]\n: 1\n', /^\? \(config\.yaml line 1\): no such setting/],
  ])('is refused for %s', async (_, yaml, fault) => {
    expect(await faultsOf({ environment: MARKETS, yaml })).toEqual([expect.stringMatching(fault)]);
  });

  it('with a mistake does not hide the faults of other sources', async () => {
    const faults = await faultsOf({ environment: { ...MARKETS, KAFKA_LINGER: '5' }, yaml: 'a: b: c' });
    expect(faults).toEqual([expect.stringMatching(/^config\.yaml \(line 1/), expect.stringMatching(/^KAFKA_LINGER/)]);
  });

  it('is refused when it is missing, a folder, or too large to be one', async () => {
    using folder = tempFolder({ 'large.yaml': '#'.repeat(1024 * 1024 + 1) });
    mkdirSync(join(folder.path, 'conf.d'));
    const refusal = (configFile: string) =>
      expect(loadSettings(sampleSchema, { environment: MARKETS, folder: folder.path, configFile })).rejects;
    await refusal('nope.yaml').toThrow(
      `nope.yaml (flag --config): there is no such file (looked at ${join(folder.path, 'nope.yaml')})`,
    );
    await refusal('conf.d').toThrow(/conf\.d \(flag --config\): cannot be read: EISDIR/);
    await refusal('large.yaml').toThrow(/large\.yaml \(flag --config\): is larger than 1 MiB/);
  });

  it('.env that cannot be read is a fault, not an empty one', async () => {
    using folder = tempFolder();
    mkdirSync(join(folder.path, '.env'));
    await expect(loadSettings(sampleSchema, { environment: MARKETS, folder: folder.path })).rejects.toThrow(
      `.env (${folder.path}): cannot be read: EISDIR`,
    );
  });
});

describe('a schema', () => {
  const setting = { env: 'KAFKA_LINGER', type: text(), describe: 'x' } as const;

  it.each([
    [
      'a key that does not follow from the name',
      { kafka: { delay: setting } },
      'KAFKA_LINGER stands at delay, but its key is linger',
    ],
    ['a name twice', { kafka: { linger: setting }, kafkaLinger: setting }, 'KAFKA_LINGER names two settings'],
    [
      'a secret with a default',
      { kafka: { linger: { ...setting, secret: true, default: 'x' } } },
      'KAFKA_LINGER is a secret',
    ],
    [
      'a secret with a flag',
      { kafka: { linger: { ...setting, secret: true, flag: '--x <y>' } } },
      'KAFKA_LINGER is a secret',
    ],
    [
      'a default that is never used',
      { kafka: { linger: { ...setting, required: true, default: 'x' } } },
      'KAFKA_LINGER is required',
    ],
  ] as const)('is refused for %s', (_, tree, message) => {
    expect(() => defineSettings({ app: 'x', tree })).toThrow(message);
  });

  it('with a default that its own type refuses is found by the first load', async () => {
    const schema = defineSettings({ app: 'x', tree: { kafka: { linger: { ...setting, default: ' ' } } } });
    await expect(loadSettings(schema, { environment: {}, folder: '/nowhere' })).rejects.toThrow(
      'KAFKA_LINGER (default): " " is not a text',
    );
  });

  it('hands a rule the values of its settings, typed', () => {
    rule([{ ...setting, default: 'x' }, setting], (first, second) => {
      expectTypeOf(first).toEqualTypeOf<string>();
      expectTypeOf(second).toEqualTypeOf<string | undefined>();
      return [];
    });
  });
});
