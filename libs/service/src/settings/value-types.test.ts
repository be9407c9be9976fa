import { describe, expect, it } from 'vitest';
import {
  address,
  boolean,
  bytes,
  choice,
  duration,
  integer,
  integerChoice,
  list,
  orEmpty,
  path,
  port,
  secretText,
  text,
  url,
  type RawValue,
  type ValueType,
} from './value-types.js';

const linger = duration({ min: '5ms', max: '1s' });
const ping = duration({ min: '1s', below: '30s' });
const ttl = duration({ min: '1s', max: '1h', zero: 'no limit' });
const size = bytes({ min: '64KiB', max: '1GiB' });
const socket = url('wss', 'ws');
const clientId = text('a name of letters', /^[a-z]+$/);

describe('a value that is right', () => {
  it.each<[string, ValueType<unknown>, RawValue, unknown]>([
    ['text', text(), 'data-ingestion', 'data-ingestion'],
    ['text with spaces around it', text(), '  upbit\r', 'upbit'],
    ['a secret, spaces and all', secretText(), ' s3cret ', ' s3cret '],
    ['one of several words', choice('json', 'console'), 'console', 'console'],
    ['a whole number', integer({ min: 1, max: 10 }), '10', 10],
    ['a negative number', integer({ min: -5, max: 10 }), '-5', -5],
    ['0 where it means something', integer({ min: 1, max: 10, zero: 'endless' }), '0', 0],
    ['one of several numbers', integerChoice([1, 5, 15]), '15', 15],
    ['a port', port(), '65535', 65_535],
    ['port 0, any free one', port(), '0', 0],
    ['true', boolean(), 'true', true],
    ['false', boolean(), 'false', false],
    ['a duration at its lower bound', linger, '5ms', 5],
    ['a duration at its upper bound', linger, '1s', 1_000],
    ['a duration just below an excluded bound', ping, '29.999s', 29_999],
    ['0 without a unit, where it means something', ttl, '0', 0],
    ['0 with a unit, likewise', ttl, '0s', 0],
    ['a size in KiB', size, '64KiB', 65_536],
    ['a size in MiB', size, '1.5MiB', 1_572_864],
    ['a size in GiB', size, '1GiB', 1_073_741_824],
    ['a size in plain bytes', size, '70000', 70_000],
    ['an address', socket, 'ws://127.0.0.1:40031/websocket/v1', 'ws://127.0.0.1:40031/websocket/v1'],
    ['a path', path(), '.aipx/spill', '.aipx/spill'],
    ['an empty text where it is a choice', orEmpty('no file', path()), '', undefined],
    ['a text where empty is a choice too', orEmpty('no file', path()), 'x.log', 'x.log'],
    ['a comma-separated list', list(text()), 'a, b ,c', ['a', 'b', 'c']],
    ['a list of one', list(text()), 'a', ['a']],
    ['a YAML list', list(integer({ min: 0, max: 9 })), ['1', '2'], [1, 2]],
  ])('is read: %s', (_, type, raw, value) => {
    expect(type.read(raw)).toEqual({ ok: true, value });
  });
});

describe('a value that is wrong', () => {
  it.each<[string, ValueType<unknown>, RawValue, string]>([
    ['an empty text', text(), ' ', 'a text'],
    ['a text of another form', clientId, 'A1', 'a name of letters'],
    ['a text that is too long', text(), 'x'.repeat(1_001), 'a text'],
    ['another word', choice('json', 'console'), 'JSON', 'one of json, console'],
    ['a number below its bounds', integer({ min: 1, max: 10 }), '0', 'a whole number from 1 to 10'],
    ['a number above its bounds', integer({ min: 1, max: 10 }), '11', 'a whole number from 1 to 10'],
    ['a fraction', integer({ min: 1, max: 10 }), '1.5', 'a whole number from 1 to 10'],
    ['a power', integer({ min: 1, max: 10 }), '1e0', 'a whole number from 1 to 10'],
    ['hexadecimal', integer({ min: 1, max: 100 }), '0x10', 'a whole number from 1 to 100'],
    ['digits beyond what a number holds', integer({ min: 1, max: 10 }), '9'.repeat(40), 'a whole number from 1 to 10'],
    ['a number that is not offered', integerChoice([1, 5]), '2', 'one of 1, 5'],
    ['a port that does not exist', port(), '65536', 'a whole number from 1 to 65535, or 0 for any free one'],
    ['yes', boolean(), 'yes', 'true or false'],
    ['1 for true', boolean(), '1', 'true or false'],
    ['TRUE', boolean(), 'TRUE', 'true or false'],
    ['a duration without a unit', linger, '5', 'a duration from 5ms to 1s (units: ms, s, m, h)'],
    ['a duration below its bounds', linger, '4ms', 'a duration from 5ms to 1s (units: ms, s, m, h)'],
    ['a duration above its bounds', linger, '1001ms', 'a duration from 5ms to 1s (units: ms, s, m, h)'],
    ['0 where it means nothing', linger, '0', 'a duration from 5ms to 1s (units: ms, s, m, h)'],
    ['a duration at its excluded bound', ping, '30s', 'a duration from 1s to below 30s (units: ms, s, m, h)'],
    [
      'a duration between 0 and the least',
      ttl,
      '5ms',
      'a duration from 1s to 1h (units: ms, s, m, h), or 0 for no limit',
    ],
    [
      'a duration longer than any timer',
      duration({ min: '1s' }),
      '600h',
      'a duration from 1s to 596h (units: ms, s, m, h)',
    ],
    ['a size in thousands', size, '64KB', 'a size from 64KiB to 1GiB (units: B, KiB, MiB, GiB, TiB)'],
    ['a size below its bounds', size, '1KiB', 'a size from 64KiB to 1GiB (units: B, KiB, MiB, GiB, TiB)'],
    [
      'an address of another scheme',
      socket,
      'https://x/',
      'an address that begins with wss:// or ws://, without user and password',
    ],
    [
      'an address with a user',
      socket,
      'ws://user@x/',
      'an address that begins with wss:// or ws://, without user and password',
    ],
    ['no address', socket, 'api.upbit.com', 'an address that begins with wss:// or ws://, without user and password'],
    ['a list where one value is right', integer({ min: 1, max: 10 }), ['1'], 'a whole number from 1 to 10'],
    ['an empty list', list(text()), ' , ', 'a comma-separated list, each item a text'],
    ['an address without a port', address('localhost:9092'), 'localhost', 'an address such as localhost:9092'],
    ['an empty YAML list', list(text()), [], 'a comma-separated list, each item a text'],
  ])('is refused, and said what is right: %s', (_, type, raw, expected) => {
    expect(type.read(raw)).toMatchObject({ ok: false });
    expect(type.expected).toBe(expected);
  });

  it('is named by its item in a list', () => {
    const channels = list(choice('tick', 'orderbook'));
    expect(channels.read('tick, trades')).toEqual({ ok: false, item: 'trades' });
    expect(channels.read(['orderbok'])).toEqual({ ok: false, item: 'orderbok' });
  });

  it('is shown without what may be secret in an address', () => {
    expect(socket.shown?.('wss://me:pass@venue.example/v1?key=abc')).toBe('wss://***@venue.example/v1?***');
  });
});
