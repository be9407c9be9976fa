import { describe, expect, it } from 'vitest';
import {
  choiceFromEnvironment,
  createLogger,
  durationText,
  LOG_LEVELS,
  onStopSignals,
  parseDuration,
} from './index.js';

describe('durations', () => {
  it.each([
    ['500ms', 500],
    ['20s', 20_000],
    ['1.5s', 1_500],
    ['10m', 600_000],
    ['24h', 86_400_000],
  ])('%s is %i ms', (raw, millis) => {
    expect(parseDuration('--duration', raw)).toBe(millis);
  });

  it.each(['20', '', '0', '0s', '-1s', 's', '1d', '1e3s', 'twenty'])(
    'refuses %j and names setting, value and the right form',
    (raw) => {
      expect(() => parseDuration('--duration', raw)).toThrow(/--duration: ".*" is not a duration; expected .*20s/);
    },
  );
});

describe('the text of a duration', () => {
  it.each([
    [0, '0ms'],
    [5, '5ms'],
    [1_500, '1500ms'],
    [90_000, '90s'],
    [120_000, '2m'],
    [7_200_000, '2h'],
  ])('of %i ms is %s, which reads back as the same', (millis, text) => {
    expect(durationText(millis)).toBe(text);
    if (millis > 0) expect(parseDuration('x', text)).toBe(millis);
  });
});

describe('settings', () => {
  it('takes the default when the variable is unset or empty', () => {
    expect(choiceFromEnvironment('LOG_LEVEL', LOG_LEVELS, 'info', {})).toBe('info');
    expect(choiceFromEnvironment('LOG_LEVEL', LOG_LEVELS, 'info', { LOG_LEVEL: '' })).toBe('info');
  });

  it('refuses an unknown choice and names the variable, the value and the choices', () => {
    expect(() => choiceFromEnvironment('LOG_LEVEL', LOG_LEVELS, 'info', { LOG_LEVEL: 'loud' })).toThrow(
      /LOG_LEVEL: "loud" from the environment is not one of trace, debug, info/,
    );
  });
});

describe('logger', () => {
  it('writes JSON lines with the level as text, service, env, ISO time and message', () => {
    const lines: string[] = [];
    const logger = createLogger({
      service: 'recorder',
      format: 'json',
      destination: { write: (line) => void lines.push(line) },
    });
    logger.warn({ symbol: 'KRW-BTC' }, 'silent code');
    const line = JSON.parse(lines.join('')) as Record<string, unknown>;
    expect(line).toMatchObject({
      level: 'warn',
      service: 'recorder',
      env: 'development',
      message: 'silent code',
      symbol: 'KRW-BTC',
    });
    expect(String(line['time'])).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  });
});

describe('stop signals', () => {
  it('a second signal stops at once, but not the copy that npm forwards of the first', () => {
    let now = 0;
    const signals = onStopSignals(1_000, () => now);
    try {
      process.emit('SIGINT', 'SIGINT');
      process.emit('SIGINT', 'SIGINT');
      expect([signals.stop.aborted, signals.atOnce.aborted]).toEqual([true, false]);
      now = 1_500;
      process.emit('SIGTERM', 'SIGTERM');
      expect(signals.atOnce.aborted).toBe(true);
    } finally {
      signals.dispose();
    }
  });
});
