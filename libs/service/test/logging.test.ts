import { stripVTControlCharacters } from 'node:util';
import { MarketDataError } from '@aipx/market-model';
import { describe, expect, it } from 'vitest';
import { createLogger, openLog, type Log, type LogOptions } from '../src/index.js';
import { SecretMask } from '../src/logging/secret-mask.js';

interface Captured extends Log {
  readonly text: () => string;
  readonly last: () => Record<string, unknown>;
}

async function capture(options: Partial<LogOptions> = {}): Promise<Captured> {
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  const log = await openLog({ service: 'sample', format: 'json', destination, ...options });
  return { ...log, text: () => lines.join(''), last: () => JSON.parse(lines.at(-1) ?? '') as Record<string, unknown> };
}

describe('a log line', () => {
  it('carries what a child logger stands for, such as its connection', async () => {
    const { logger, last } = await capture({ environment: 'production' });
    logger.child({ run_id: 'r1' }).child({ connection_id: 'c1' }).info('connected');
    expect(last()).toMatchObject({
      level: 'info',
      service: 'sample',
      env: 'production',
      run_id: 'r1',
      connection_id: 'c1',
      message: 'connected',
    });
  });

  it('carries an error with code, context and causes, down to the first failure', async () => {
    const { logger, last } = await capture();
    const socket = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
    const lost = new MarketDataError('CONNECTION_LOST', 'upbit is away', { cause: socket, retryable: true });
    const error = new MarketDataError('PUBLISH_FAILED', 'not sent', { cause: lost, context: { topic: 'market.tick' } });
    logger.error({ error }, 'failed');
    expect(last()['error']).toEqual({
      type: 'MarketDataError',
      code: 'PUBLISH_FAILED',
      message: 'not sent',
      retryable: false,
      context: { topic: 'market.tick' },
      cause: {
        type: 'MarketDataError',
        code: 'CONNECTION_LOST',
        message: 'upbit is away',
        retryable: true,
        cause: {
          type: 'Error',
          code: 'ECONNREFUSED',
          message: 'connect ECONNREFUSED',
          stack: expect.stringContaining('logging.test') as string,
        },
      },
    });
  });

  it('takes an error alone, an aggregate, something thrown that is no error, and a cause that is its own', async () => {
    const { logger, last } = await capture();
    logger.error(new MarketDataError('STORE_UNAVAILABLE', 'the database is away'));
    expect(last()).toMatchObject({ message: 'the database is away', error: { code: 'STORE_UNAVAILABLE' } });
    logger.error({ error: new AggregateError([new Error('::1'), new Error('127.0.0.1')], 'both') });
    expect(last()['error']).toMatchObject({ errors: [{ message: '::1' }, { message: '127.0.0.1' }] });
    logger.error({ error: 'thrown text' }, 'odd');
    expect(last()['error']).toBe('thrown text');
    const circle = new Error('circle');
    circle.cause = circle;
    logger.error({ error: circle }, 'odd');
    expect(JSON.stringify(last()['error']).match(/circle/g)?.length).toBeLessThan(40);
  });

  it('for people shows message, code and reason', async () => {
    const { logger, text } = await capture({ format: 'console' });
    logger.warn({ error: new MarketDataError('CONNECTION_LOST', 'closed with 1006') }, 'upbit reconnects');
    logger.warn({ error: new MarketDataError('CONNECTION_LOST', 'away') }, 'upbit: away');
    const plain = stripVTControlCharacters(text());
    expect(plain).toMatch(/WARN: upbit reconnects \(CONNECTION_LOST: closed with 1006\)\n/);
    expect(plain).toMatch(/WARN: upbit: away \(CONNECTION_LOST\)\n/);
  });

  it('below the level is not written', async () => {
    const { logger, text } = await capture({ level: 'warn' });
    logger.info('no');
    expect(text()).toBe('');
  });
});

describe('a secret', () => {
  const SECRET = 'hunter2/"+ü€';

  it.each([
    [
      'in the message',
      (log: Log) => {
        log.logger.info(`login with ${SECRET} failed`);
      },
    ],
    [
      'in a field',
      (log: Log) => {
        log.logger.info({ url: `https://x/?k=${SECRET}` }, 'x');
      },
    ],
    [
      'in an address, encoded',
      (log: Log) => {
        log.logger.info(`GET /?k=${encodeURIComponent(SECRET)}`);
      },
    ],
    [
      'in the cause of a cause',
      (log: Log) => {
        log.logger.error(new Error('a', { cause: new Error('b', { cause: new Error(`c ${SECRET}`) }) }));
      },
    ],
    [
      'in the binding of a child',
      (log: Log) => {
        log.logger.child({ note: SECRET }).info('x');
      },
    ],
    [
      'in a list',
      (log: Log) => {
        log.logger.info({ argv: ['--key', SECRET] }, 'x');
      },
    ],
  ])('that is registered does not pass %s', async (_, write) => {
    const log = await capture({ secrets: [SECRET] });
    write(log);
    expect(log.text()).toContain('[redacted]');
    expect(log.text()).not.toContain('hunter2');
  });

  it('that is issued later is masked from then on, also as a number', async () => {
    const { logger, keepSecret, last } = await capture();
    logger.info('token abcdef');
    expect(last()['message']).toBe('token abcdef');
    keepSecret('abcdef');
    keepSecret('12345678');
    logger.child({ connection_id: 'c1' }).info({ account: 12_345_678, other: 123_456_789 }, 'token abcdef');
    expect(last()).toMatchObject({ message: 'token [redacted]', account: '[redacted]' });
  });

  it.each([
    [{ password: 'p1' }],
    [{ deep: { er: { and: { deeper: { db_password: 'p1' } } } } }],
    [{ headers: { Authorization: 'Bearer p1' } }],
    [{ body: { appkey: 'p1', appsecret: 'p1' } }],
    [{ answer: [{ approval_key: 'p1' }, { access_token: 'p1' }] }],
    [{ KIS_API_SECRET: 'p1', 'x-api-key': 'p1', clientSecret: { value: 'p1' }, cookie: ['p1'] }],
    [{ error: new MarketDataError('CONFIG_INVALID', 'x', { context: { token: 'p1' } }) }],
  ])('that nobody registered does not pass under a key that sounds like one: %j', async (fields) => {
    const { logger, text } = await capture();
    logger.info(fields, 'x');
    logger.child(fields).info('y');
    expect(text()).not.toContain('p1');
    expect(text()).toContain('[redacted]');
  });

  it('is masked also in a line that is no JSON', () => {
    const mask = new SecretMask(['hunter2']);
    expect(mask.maskLine('{"token": hunter2}\n')).toBe('{"token": [redacted]}\n');
  });

  it('is masked by the plain logger too', () => {
    const lines: string[] = [];
    createLogger({ service: 'x', format: 'json', destination: { write: (line) => void lines.push(line) } }).info(
      { password: 'p1' },
      'x',
    );
    expect(lines.join('')).not.toContain('p1');
  });

  it('leaves other lines as they are, to the last digit', async () => {
    const { logger, text } = await capture({ secrets: [SECRET] });
    logger.info({ id: 9_223_372_036_854_775_807n, keys: 3, token_count: 2, tokens: 5 }, 'x');
    expect(text()).toContain('"id":9223372036854775807,"keys":3,"token_count":2,"tokens":5');
  });

  it('is forgotten last of all: a thousand newer ones push out the oldest', async () => {
    const { logger, keepSecret, last } = await capture({ secrets: ['oldest-secret'] });
    for (let n = 0; n < 1_000; n++) keepSecret(`secret-${n}-`);
    logger.info('oldest-secret secret-999-');
    expect(last()['message']).toBe('oldest-secret [redacted]');
  });
});
