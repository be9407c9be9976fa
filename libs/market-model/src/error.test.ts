import { describe, expect, it } from 'vitest';
import { asMarketDataError, ERROR_CODES, MarketDataError } from './error.js';

describe('MarketDataError', () => {
  it('carries a stable code, a message, context and its cause', () => {
    const cause = new RangeError('socket hang up');
    const error = new MarketDataError('CONNECTION_LOST', 'upbit closed', {
      cause,
      context: { close: 1006 },
      retryable: true,
    });
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({
      name: 'MarketDataError',
      code: 'CONNECTION_LOST',
      message: 'upbit closed',
      retryable: true,
    });
    expect(error.cause).toBe(cause);
    expect(error.context).toEqual({ close: 1006 });
  });

  it('is final unless somebody says that a retry can help', () => {
    expect(new MarketDataError('CONFIG_INVALID', 'x').retryable).toBe(false);
  });

  it('has a JSON form for logs, without what is absent', () => {
    expect(JSON.parse(JSON.stringify(new MarketDataError('CONFIG_INVALID', 'bad')))).toEqual({
      code: 'CONFIG_INVALID',
      message: 'bad',
      retryable: false,
    });
    const full = new MarketDataError('STORE_REFUSED', 'no', { cause: new Error('disk full'), context: { offset: 7 } });
    expect(JSON.parse(JSON.stringify(full))).toEqual({
      code: 'STORE_REFUSED',
      message: 'no',
      retryable: false,
      context: { offset: 7 },
      cause: 'disk full',
    });
  });

  it('keeps its codes unique and in their families', () => {
    expect(new Set(ERROR_CODES).size).toBe(ERROR_CODES.length);
    for (const code of ERROR_CODES) expect(code).toMatch(/^(CONNECTION|VALIDATION|PUBLISH|CONFIG|STORE)_[A-Z_]+$/);
  });
});

describe('asMarketDataError', () => {
  it('returns one of ours unchanged, so that the first code is not lost', () => {
    const ours = new MarketDataError('VALIDATION_DECIMAL', 'x');
    expect(asMarketDataError(ours, 'VALIDATION_FRAME')).toBe(ours);
  });

  it('wraps anything else and keeps it as the cause', () => {
    const cause = new TypeError('boom');
    const wrapped = asMarketDataError(cause, 'PUBLISH_FAILED', { retryable: true });
    expect(wrapped).toMatchObject({ code: 'PUBLISH_FAILED', message: 'boom', retryable: true });
    expect(wrapped.cause).toBe(cause);
    expect(asMarketDataError('just text', 'PUBLISH_FAILED').message).toBe('just text');
  });

  it('never has an empty message: a refused connection to localhost is an AggregateError without one', () => {
    const refused = new AggregateError([
      new Error('connect ECONNREFUSED ::1:9092'),
      new Error('connect ECONNREFUSED 127.0.0.1:9092'),
    ]);
    expect(asMarketDataError(refused, 'CONNECTION_FAILED').message).toBe(
      'connect ECONNREFUSED ::1:9092; connect ECONNREFUSED 127.0.0.1:9092',
    );
    expect(asMarketDataError(new AggregateError([]), 'CONNECTION_FAILED').message).toBe('AggregateError');
    expect(asMarketDataError(new TypeError(), 'CONNECTION_FAILED').message).toBe('TypeError');
  });
});
