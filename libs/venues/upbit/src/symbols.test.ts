import { describe, expect, it } from 'vitest';
import { parseSymbol, readMarketList } from './symbols.js';

describe('an upbit symbol', () => {
  it.each([
    ['KRW-BTC', 'KRW-BTC'],
    ['krw-btc', 'KRW-BTC'],
    ['Krw-Fct2', 'KRW-FCT2'],
    ['BTC-ETH', 'BTC-ETH'],
    ['USDT-BTC', 'USDT-BTC'],
    ['KRW-USDT', 'KRW-USDT'],
    ['SGD-BTC', 'SGD-BTC'],
    ['thb-usdt', 'THB-USDT'],
    ['IDR-XRP', 'IDR-XRP'],
    ['EUR-XRP', 'EUR-XRP'],
    ['KRW-1INCH', 'KRW-1INCH'],
  ])('%s is %s: quote first, upper case, whatever the quote', (raw, spelled) => {
    expect(parseSymbol(raw)).toBe(spelled);
  });

  it.each([
    ['BTC-KRW', 'KRW-BTC'],
    ['btc-krw', 'KRW-BTC'],
    ['BTC-USDT', 'USDT-BTC'],
    ['USDT-KRW', 'KRW-USDT'],
    ['ETH-KRW', 'KRW-ETH'],
    ['ETH-BTC', 'BTC-ETH'],
    ['XRP-USDT', 'USDT-XRP'],
    ['BTC-SGD', 'SGD-BTC'],
  ])('%s is the wrong way round: did you mean %s?', (raw, proposed) => {
    expect(() => parseSymbol(raw)).toThrow(
      expect.objectContaining({
        code: 'CONFIG_SYMBOL',
        message: `"${raw}" names the base first, Upbit the quote: did you mean ${proposed}?`,
      }),
    );
  });

  it.each([
    'KRWBTC',
    '',
    '-',
    'KRW-',
    '-BTC',
    'KRW_BTC',
    'KRW-BTC-ETH',
    ' KRW-BTC',
    'KRW-BTC ',
    'KRW-BTC.15',
    'KRW-비트',
    'KRW-ß',
    'ſRW-BTC',
  ])('%j is none: expected QUOTE-BASE', (raw) => {
    expect(() => parseSymbol(raw)).toThrow(
      expect.objectContaining({
        code: 'CONFIG_SYMBOL',
        message: `${JSON.stringify(raw)} is not an Upbit code: expected QUOTE-BASE, e.g. KRW-BTC`,
      }),
    );
  });
});

describe('upbit’s market list', () => {
  it('gives the codes of every quote currency', () => {
    const body = JSON.stringify([
      { market: 'KRW-BTC', korean_name: '비트코인', english_name: 'Bitcoin', market_event: { warning: false } },
      { market: 'BTC-ETH', korean_name: '이더리움', english_name: 'Ethereum' },
      { market: 'USDT-XRP', korean_name: '리플', english_name: 'XRP' },
    ]);
    expect(readMarketList(body)).toEqual(['KRW-BTC', 'BTC-ETH', 'USDT-XRP']);
  });

  it.each([
    '',
    '<html>502</html>',
    'null',
    '{"error":{"name":404,"message":"Code not found"}}',
    '[null]',
    '["KRW-BTC"]',
    '[{"market":7}]',
  ])('is refused as VALIDATION_SYMBOL when it is %s', (body) => {
    expect(() => readMarketList(body)).toThrow(
      expect.objectContaining({
        code: 'VALIDATION_SYMBOL',
        message: expect.stringMatching(/^Upbit's market list: expected \[{"market":"KRW-BTC"}, …\], got /) as string,
      }),
    );
  });
});
