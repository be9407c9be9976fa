import { describe, expect, it } from 'vitest';
import { boolean, defineSettings, loadSettings, parseCommandLine, text } from '../src/index.js';
import { sampleSchema } from './support/sample-schema.js';

const parse = (...argv: readonly string[]) => parseCommandLine(sampleSchema, 'Does a sample.', argv);

describe('the command line', () => {
  it('has a flag for each setting that states one', () => {
    const { wants, flags, configFile } = parse('--markets', 'KRW-BTC,KRW-ETH', '--linger=7ms', '--config', 'c.yaml');
    expect(wants).toBe('run');
    expect(Object.fromEntries(flags)).toEqual({ MARKETS: 'KRW-BTC,KRW-ETH', KAFKA_LINGER: '7ms' });
    expect(configFile).toBe('c.yaml');
    expect([...parse().flags]).toEqual([]);
  });

  it('leaves values to the load, which names all that are wrong at once', async () => {
    const { flags } = parse('--markets', '', '--linger', '7');
    await expect(loadSettings(sampleSchema, { flags, environment: {}, folder: '/nowhere' })).rejects.toThrow(
      /MARKETS \(flag --markets\): "" is not .*\nKAFKA_LINGER \(flag --linger\): "7" is not/,
    );
  });

  it('takes a flag without a value for true', async () => {
    const setting = {
      env: 'DRY_RUN',
      type: boolean(),
      default: 'false',
      describe: 'Only try',
      flag: '--dry-run',
    } as const;
    const schema = defineSettings({ app: 'sample', tree: { dryRun: setting } });
    const valueOf = async (...argv: readonly string[]) => {
      const { flags } = parseCommandLine(schema, '', argv);
      return (await loadSettings(schema, { flags, environment: {}, folder: '/nowhere' })).values.dryRun;
    };
    expect([await valueOf(), await valueOf('--dry-run')]).toEqual([false, true]);
    expect(() =>
      defineSettings({ app: 'sample', tree: { dryRun: { ...setting, type: text('a path', /^\//) } } }),
    ).toThrow('DRY_RUN has a flag without a value, which only true or false can have');
  });

  it('says what is wanted instead of a run', () => {
    expect(parse('--help').wants).toBe('help');
    expect(parse('--print-config').wants).toBe('print-config');
    expect(parse('--print-env-example').wants).toBe('print-env-example');
    expect(parse('--linger', '1ms', '--help').wants).toBe('help');
  });

  it('has a help text with every flag, its environment name and its default, and no secret', () => {
    const { help } = parse('--help');
    expect(help).toContain('Does a sample.');
    expect(help).toMatch(/--linger <time> +How long a first record waits \(KAFKA_LINGER,\s+default 5ms\)/);
    for (const flag of ['--markets', '--config', '--print-config', '--print-env-example', '--help']) {
      expect(help).toContain(flag);
    }
    expect(help).not.toContain('secret <');
  });

  it.each([
    [['--lingr', '5ms'], "unknown option '--lingr' (Did you mean --linger?) (--help lists the flags)"],
    [['--linger'], "option '--linger <time>' argument missing (--help lists the flags)"],
    [['KRW-BTC'], 'too many arguments. Expected 0 arguments but got 1: KRW-BTC. (--help lists the flags)'],
    [['--linger', '1ms', '--linger', '2ms'], '--linger is given 2 times; give it once'],
    [['--config', 'a', '--config', 'b'], '--config is given 2 times; give it once'],
    [['--kis-api-sercet=hunter2'], "unknown option '--kis-api-sercet=…' (--help lists the flags)"],
  ])('refuses %j', (argv, message) => {
    expect(() => parse(...argv)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
    try {
      parse(...argv);
    } catch (error) {
      expect((error as Error).message.replaceAll('\n', ' ')).toBe(message);
    }
  });

  it('takes a secret only to refuse it at the load, and does not repeat it', async () => {
    const { flags } = parse('--kis-api-secret', 'hunter2-hunter2');
    const load = loadSettings(sampleSchema, { flags, environment: { MARKETS: 'a' }, folder: '/nowhere' });
    await expect(load).rejects.toThrow(/KIS_API_SECRET \(flag --kis-api-secret\): is a secret/);
    await expect(load).rejects.not.toThrow(/hunter2/);
  });
});
