import { describe, expect, expectTypeOf, it } from 'vitest';
import { faultsOf, load, MARKETS, type Given } from './support/load-settings.js';

describe('settings', () => {
  it('are typed by their schema, defaults included', async () => {
    const { values } = await load({ environment: MARKETS });
    expectTypeOf(values.markets).toEqualTypeOf<readonly string[]>();
    expectTypeOf(values.venue).toEqualTypeOf<string | undefined>();
    expectTypeOf(values.service.logLevel).toEqualTypeOf<'debug' | 'info'>();
    expectTypeOf(values.kafka.linger).toEqualTypeOf<number>();
    expectTypeOf(values.buffer.spillDir).toEqualTypeOf<string | undefined>();
    expect(values).toEqual({
      markets: ['upbit:KRW-BTC'],
      venue: undefined,
      service: { logLevel: 'info' },
      kafka: { linger: 5, requestTimeout: 30_000, brokers: ['localhost:9092'], idempotent: true },
      buffer: { maxBytes: 16_777_216, spillDir: '.aipx/spill' },
      kis: { apiSecret: undefined, apiUrl: 'https://kis.example', silenceTimeout: 30_000 },
    });
  });

  it('cannot be changed', async () => {
    const { values } = await load({ environment: MARKETS });
    expect(() => Object.assign(values.kafka, { linger: 1 })).toThrow(TypeError);
    expect(() => Object.assign(values, { venue: 'upbit' })).toThrow(TypeError);
  });

  it('come from flags over environment over .env over YAML over default, each with its origin', async () => {
    const yaml = 'kafka:\n  linger: 4ms\nmarkets: yaml\n';
    const dotenv = '# local\n\nKAFKA_LINGER=3ms\n';
    const environment = { KAFKA_LINGER: '2ms' };
    const flags = { KAFKA_LINGER: '1ms' };
    const origins = async (given: Given) => {
      const { values, effective } = await load(given);
      return [values.kafka.linger, effective.originOf('KAFKA_LINGER')];
    };
    expect(await origins({ flags, environment, dotenv, yaml })).toEqual([1, 'flag --linger']);
    expect(await origins({ environment, dotenv, yaml })).toEqual([2, 'environment']);
    expect(await origins({ dotenv, yaml })).toEqual([3, '.env line 3']);
    expect(await origins({ yaml })).toEqual([4, 'config.yaml line 2']);
    expect(await origins({ environment: MARKETS })).toEqual([5, 'default']);
  });

  it('are unset when a variable is empty, so that a weaker source counts', async () => {
    const environment = { ...MARKETS, KAFKA_LINGER: '' };
    expect((await load({ environment, dotenv: 'KAFKA_LINGER=3ms' })).values.kafka.linger).toBe(3);
    expect((await load({ environment, yaml: 'kafka:\n  linger:\n' })).values.kafka.linger).toBe(5);
  });

  it('are empty where emptiness is a stated choice', async () => {
    const { values, effective } = await load({
      environment: { ...MARKETS, SPILL_DIR: '' },
      yaml: 'buffer: { spillDir: /var/spill }',
    });
    expect(values.buffer.spillDir).toBeUndefined();
    expect(effective.originOf('SPILL_DIR')).toBe('environment');
  });

  it('read lists, numbers and booleans of YAML as the environment would spell them', async () => {
    const { values } = await load({
      yaml: [
        'markets: [upbit:KRW-BTC, "upbit:KRW-ETH"]',
        'venue: 0123',
        'kafka:',
        '  brokers:',
        '    - a:9092',
        '    - b:9092',
        '  idempotent: false',
        'buffer:',
        '  maxBytes: &room 2048',
        '  spillDir: ""',
      ].join('\n'),
    });
    expect(values.markets).toEqual(['upbit:KRW-BTC', 'upbit:KRW-ETH']);
    expect(values.venue).toBe('0123');
    expect(values.kafka).toMatchObject({ brokers: ['a:9092', 'b:9092'], idempotent: false });
    expect(values.buffer).toEqual({ maxBytes: 2048, spillDir: undefined });
  });

  it('take what a YAML alias stands for', async () => {
    const { values } = await load({ yaml: 'markets: &all [a, b]\nkafka: { brokers: *all }' });
    expect(values.kafka.brokers).toEqual(['a', 'b']);
  });

  it('need no file at all', async () => {
    expect((await load({ environment: MARKETS, yaml: '' })).values.markets).toEqual(['upbit:KRW-BTC']);
    expect((await load({ environment: MARKETS, yaml: '# nothing yet\nkafka:\n' })).values.kafka.linger).toBe(5);
  });

  it('know the line of a variable in .env, also behind a look-alike inside a quoted value', async () => {
    const dotenv =
      '\uFEFFMARKETS=a\nNOTE="\nKAFKA_LINGER=9ms\n"\nexport KAFKA_LINGER=\'7ms\' # so\r\nOTHER="\nKAFKA_LINGER=8ms"\n';
    const { values, effective } = await load({ dotenv });
    expect(values.kafka.linger).toBe(7);
    expect(effective.originOf('KAFKA_LINGER')).toBe('.env line 5');
    expect(effective.originOf('MARKETS')).toBe('.env line 1');
  });
});

describe('wrong settings', () => {
  it('are all named at once: name, origin, value and what is right', async () => {
    const faults = await faultsOf({
      flags: { KAFKA_LINGER: '5' },
      environment: { MARKETS: ' , ', KAFKA_IDEMPOTENT: 'yes', KIS_API_URL: 'ftp://me:hidden@x/?key=hidden' },
      dotenv: '\n\nKAFKA_REQUEST_TIMEOUT=1h\n',
      yaml: 'buffer:\n  maxBytes: 1KB\nservice:\n  logLevel: loud\n',
    });
    expect(faults).toEqual([
      'MARKETS (environment): " , " is not a comma-separated list, each item a market',
      'LOG_LEVEL (config.yaml line 4): "loud" is not one of debug, info',
      'KAFKA_LINGER (flag --linger): "5" is not a duration from 0ms to 1s (units: ms, s, m, h)',
      'KAFKA_REQUEST_TIMEOUT (.env line 3): "1h" is not a duration from 100ms to 10m (units: ms, s, m, h)',
      'KAFKA_IDEMPOTENT (environment): "yes" is not true or false',
      'BUFFER_MAX_BYTES (config.yaml line 2): "1KB" is not a size from 1KiB to 1GiB (units: B, KiB, MiB, GiB, TiB)',
      'KIS_API_URL (environment): "ftp://***@x/?***" is not an address that begins with https://, without user and password',
    ]);
  });

  it('are in the context of the error too', async () => {
    await expect(load({ environment: { ...MARKETS, KAFKA_LINGER: '5' } })).rejects.toMatchObject({
      context: { faults: 'KAFKA_LINGER (environment): "5" is not a duration from 0ms to 1s (units: ms, s, m, h)' },
    });
  });

  it('are found also where a stronger source hides them', async () => {
    const environment = { ...MARKETS, KAFKA_LINGER: '1ms' };
    expect(await faultsOf({ environment, yaml: 'kafka: { linger: soon }' })).toEqual([
      'KAFKA_LINGER (config.yaml line 1): "soon" is not a duration from 0ms to 1s (units: ms, s, m, h)',
    ]);
  });

  it('include a required one that nobody gave, with how to give it', async () => {
    expect(await faultsOf({})).toEqual([
      'MARKETS (not set): expected a comma-separated list, each item a market; for example MARKETS=upbit:KRW-BTC or the flag --markets',
    ]);
  });

  it('include what breaks a rule among several, but only when each is right by itself', async () => {
    const environment = { ...MARKETS, KAFKA_REQUEST_TIMEOUT: '500ms', KAFKA_LINGER: '800ms' };
    expect(await faultsOf({ environment })).toEqual([
      'KAFKA_LINGER (environment): 800 ms is no less than KAFKA_REQUEST_TIMEOUT',
    ]);
    expect(await faultsOf({ environment: { ...environment, KAFKA_REQUEST_TIMEOUT: 'x' } })).toEqual([
      expect.stringContaining('KAFKA_REQUEST_TIMEOUT (environment): "x" is not'),
    ]);
  });

  it('are shown on one line and cut when they are long', async () => {
    const [fault] = await faultsOf({ environment: { ...MARKETS, KAFKA_LINGER: `1\n${'x'.repeat(5_000)}` } });
    expect(fault).toMatch(/^KAFKA_LINGER \(environment\): "1\\nx{98}…" is not/);
  });

  it('include a list where one value is right, and name the item of a list that is wrong', async () => {
    expect(await faultsOf({ environment: MARKETS, yaml: 'kafka: { linger: [1ms] }' })).toEqual([
      'KAFKA_LINGER (config.yaml line 1): "1ms" is not a duration from 0ms to 1s (units: ms, s, m, h)',
    ]);
    expect(await faultsOf({ environment: MARKETS, yaml: 'kafka:\n  brokers: [a, "", b]' })).toEqual([
      'KAFKA_BROKERS (config.yaml line 2): "" in "a,,b" is wrong: expected a comma-separated list, each item a text',
    ]);
  });
});

describe('two names of one setting', () => {
  it('are as good as each other, in the environment and in YAML', async () => {
    const silence = async (given: Given) => (await load({ ...given })).values.kis.silenceTimeout;
    expect(await silence({ environment: { ...MARKETS, KIS_HEARTBEAT_INTERVAL: '40s' } })).toBe(40_000);
    expect(await silence({ environment: MARKETS, yaml: 'kis: { heartbeatInterval: 41s }' })).toBe(41_000);
  });

  it('are refused when they say different things, wherever they stand', async () => {
    const environment = { ...MARKETS, KIS_SILENCE_TIMEOUT: '30s' };
    expect(await faultsOf({ environment, dotenv: 'KIS_HEARTBEAT_INTERVAL=40s' })).toEqual([
      'KIS_HEARTBEAT_INTERVAL (.env line 1): "40s" contradicts KIS_SILENCE_TIMEOUT (environment), which is "30s"; both name the same setting, so give one of them',
    ]);
  });

  it('may say the same in different words', async () => {
    const environment = { ...MARKETS, KIS_SILENCE_TIMEOUT: '60s', KIS_HEARTBEAT_INTERVAL: '1m' };
    expect((await load({ environment })).values.kis.silenceTimeout).toBe(60_000);
  });
});

describe('a secret', () => {
  it('is taken from the environment and from .env, and masked wherever settings are shown', async () => {
    const { values, effective, secrets } = await load({
      environment: MARKETS,
      dotenv: 'KIS_API_SECRET=hunter2-hunter2',
    });
    expect(values.kis.apiSecret).toBe('hunter2-hunter2');
    expect(secrets).toEqual(['hunter2-hunter2']);
    expect(effective.toJSON()).toMatchObject({ KIS_API_SECRET: '***', KAFKA_LINGER: '5ms' });
    expect(effective.toTable()).toMatch(/^KIS_API_SECRET +\*\*\* +\.env line 1$/m);
    expect(JSON.stringify(effective) + effective.toTable()).not.toContain('hunter2');
  });

  it('is refused in YAML and in flags, with the place where it belongs and without its value', async () => {
    const faults = await faultsOf({
      environment: MARKETS,
      flags: { KIS_API_SECRET: 'hunter2-hunter2' },
      yaml: 'kis:\n  apiSecret: hunter2-hunter2\n',
    });
    expect(faults).toEqual([
      'KIS_API_SECRET (flag --kis-api-secret): is a secret, and flags show in the list of processes: give it in the environment or in .env',
      'KIS_API_SECRET (config.yaml line 2): is a secret, and a settings file is read by many: give it in the environment or in .env',
    ]);
  });

  it('is refused when it is too short to be kept out of the logs, without its value', async () => {
    expect(await faultsOf({ environment: { ...MARKETS, KIS_API_SECRET: 'abc' } })).toEqual([
      'KIS_API_SECRET (environment): a secret has at least 4 characters (its value is not shown)',
    ]);
    expect(await faultsOf({ environment: { ...MARKETS, KIS_API_SECRET: 'q'.repeat(1_001) } })).toEqual([
      'KIS_API_SECRET (environment): the value (a secret, so not shown) is not a text',
    ]);
  });
});

describe('an unknown name', () => {
  it('in YAML is a fault that proposes the nearest, or the place where that name stands', async () => {
    const yaml = [
      'kafka:',
      '  lingr: 5ms',
      '  maxBytes: 1MiB',
      'linger: 5ms',
      'KAFKA_BROKERS: a',
      'bufer: {}',
      'quux: 1',
      'kis: { apiSecert: hunter2 }',
    ].join('\n');
    expect(await faultsOf({ environment: MARKETS, yaml })).toEqual([
      'kafka.lingr (config.yaml line 2): no such setting; did you mean kafka.linger?',
      'kafka.maxBytes (config.yaml line 3): no such setting; did you mean buffer.maxBytes?',
      'linger (config.yaml line 4): no such setting; did you mean kafka.linger?',
      'KAFKA_BROKERS (config.yaml line 5): no such setting; did you mean kafka.brokers?',
      'bufer (config.yaml line 6): no such setting; did you mean buffer?',
      'quux (config.yaml line 7): no such setting',
      'kis.apiSecert (config.yaml line 8): no such setting; did you mean kis.apiSecret?',
    ]);
  });

  it('in YAML is passed over where another app has it, and only there', async () => {
    const yaml = 'kafka:\n  groupId: [of, another]\nrecorder:\n  batchSize: { x: 1 }\n  groupId: x\nbatchSize: 1\n';
    expect(await faultsOf({ environment: MARKETS, yaml })).toEqual([
      'recorder.groupId (config.yaml line 5): no such setting; did you mean kafka.groupId?',
      'batchSize (config.yaml line 6): no such setting; did you mean recorder.batchSize?',
    ]);
  });

  it('in the environment or .env is a warning when it was meant for this app, without its value', async () => {
    const { warnings } = await load({
      environment: { ...MARKETS, KAFKA_LINGR: 'hidden', KAFKA_GROUP_ID: 'of another app', PATH: '/bin', LOG_LEVL: 'x' },
      dotenv: 'KIS_X=hidden\nMARKET=hidden\nHOME=/root\n',
    });
    expect(warnings).toEqual([
      'KAFKA_LINGR (environment) is no setting of sample and has no effect; did you mean KAFKA_LINGER?',
      'LOG_LEVL (environment) is no setting of sample and has no effect; did you mean LOG_LEVEL?',
      'KIS_X (.env line 1) is no setting of sample and has no effect',
      'MARKET (.env line 2) is no setting of sample and has no effect; did you mean MARKETS?',
    ]);
  });

  it('is told together with the faults, for what is misspelled is what is missing', async () => {
    expect(await faultsOf({ environment: { MARKET: 'upbit:KRW-BTC' } })).toEqual([
      expect.stringMatching(/^MARKETS \(not set\)/),
      'MARKET (environment) is no setting of sample and has no effect; did you mean MARKETS?',
    ]);
  });
});
