import { describe, expect, it } from 'vitest';
import { parseSymbol } from './symbols.js';

describe('a KIS code', () => {
  it.each([
    ['005930', '005930'],
    [' 0193t0 ', '0193T0'],
    ['q500001', 'Q500001'],
  ])('%j is %s', (raw, code) => {
    expect(parseSymbol(raw)).toBe(code);
  });

  it.each([
    ['5930', 'did you mean 005930?'],
    ['005930.KS', 'did you mean 005930?'],
    ['', 'is not a short code of KRX such as 005930'],
    ['KRW-BTC', 'is not a short code of KRX such as 005930'],
    ['KR7005930003', 'is not a short code of KRX such as 005930'],
    ['００５９３０', 'is not a short code of KRX such as 005930'],
  ])('%j is refused: %s', (raw, message) => {
    expect(() => parseSymbol(raw)).toThrow(
      expect.objectContaining({ code: 'CONFIG_SYMBOL', message: expect.stringContaining(message) as string }),
    );
  });
});
