import { describe, expect, it } from 'vitest';
import { formatted } from './rows.js';

const rows = {
  columns: ['symbol', 'price', 'note'],
  rows: [
    ['KRW-BTC', '97000000', null],
    ['BTC-ETH', '0.03', 'a "b", c'],
  ],
};

describe('rows as text', () => {
  it('stand in columns, numbers to the right', () => {
    expect(formatted(rows, 'table')).toBe('symbol      price  note\nKRW-BTC  97000000\nBTC-ETH      0.03  a "b", c\n');
  });

  it('are CSV with quotes where they are needed', () => {
    expect(formatted(rows, 'csv')).toBe('symbol,price,note\nKRW-BTC,97000000,\nBTC-ETH,0.03,"a ""b"", c"\n');
  });

  it('are one JSON object a line', () => {
    expect(formatted(rows, 'json').split('\n')[0]).toBe('{"symbol":"KRW-BTC","price":"97000000","note":null}');
  });
});
