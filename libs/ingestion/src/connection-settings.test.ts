import { describe, expect, it } from 'vitest';
import { plainDriver } from '../test/plain-venue.js';
import { connectionSettings, type ConnectionOverrides } from './connection-settings.js';

const { defaults } = plainDriver;
const { reconnect, keepAlive, silenceTimeoutMs } = defaults;

describe('the settings of a venue’s connection', () => {
  it('are the driver’s where nothing else is said', () => {
    expect(connectionSettings(plainDriver, {})).toEqual({ reconnect, keepAlive, silenceTimeoutMs });
  });

  it('are replaced one by one', () => {
    const overrides = { reconnect: { retries: 5, floorMs: 7 }, keepAliveEveryMs: 2_000, silenceTimeoutMs: 3_000 };
    expect(connectionSettings(plainDriver, overrides)).toEqual({
      reconnect: { ...reconnect, retries: 5, floorMs: 7 },
      keepAlive: { ...keepAlive, everyMs: 2_000 },
      silenceTimeoutMs: 3_000,
    });
  });

  it.each<[ConnectionOverrides, string, string]>([
    [
      { reconnect: { floorMs: 21 } },
      'reconnect.capMs',
      'plain: reconnect.capMs is 20; expected at least reconnect.floorMs, which is 21',
    ],
    [
      { reconnect: { retries: -1 } },
      'reconnect.retries',
      'plain: reconnect.retries is -1; expected a whole number, 0 for endless',
    ],
    [
      { keepAliveEveryMs: 5_000 },
      'keepAlive.everyMs',
      "plain: keepAlive.everyMs is 5000; expected below half of the venue's idle limit of 10000 ms, so that one lost " +
        'keepalive does no harm',
    ],
    [
      { silenceTimeoutMs: 0 },
      'silenceTimeoutMs',
      'plain: silenceTimeoutMs is 0; expected milliseconds above 0, at most 2147483647',
    ],
    [
      { silenceTimeoutMs: 1_000 },
      'silenceTimeoutMs',
      'plain: silenceTimeoutMs is 1000; expected more than keepAlive.everyMs, which is 1000: in a quiet market only the ' +
        'answers to keepalives are heard',
    ],
  ])('%o is refused, naming venue, value and what would be right', (overrides, option, message) => {
    expect(() => connectionSettings(plainDriver, overrides)).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', message, context: { option, venue: 'plain' } }),
    );
  });

  it('have no keepalive where the venue wants no pings, and refuse one', () => {
    const { keepAlive: ofPlain, ...others } = defaults;
    const driver = { id: 'silent', defaults: others };
    expect(connectionSettings(driver, { silenceTimeoutMs: 1 })).toEqual({ reconnect, silenceTimeoutMs: 1 });
    expect(ofPlain).toBeDefined();
    expect(() => connectionSettings(driver, { keepAliveEveryMs: 1_000 })).toThrow(
      expect.objectContaining({
        code: 'CONFIG_INVALID',
        message: 'silent: keepAlive.everyMs is 1000; expected none, since silent wants no pings from us',
      }),
    );
  });
});
