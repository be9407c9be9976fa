import { describe, expect, it } from 'vitest';
import { plainDecimal } from './records.ts';

describe('plainDecimal', () => {
  it.each([
    ['0', '0'],
    ['0.00000000', '0'],
    ['-0.0', '0'],
    ['5120000.0', '5120000'],
    ['100', '100'],
    ['123.45000000', '123.45'],
    ['-20.50', '-20.5'],
    ['0.00000113', '0.00000113'],
    ['1.16539E8', '116539000'],
    ['1.165394567E8', '116539456.7'],
    ['7.9276E-4', '0.00079276'],
    ['6E-8', '0.00000006'],
    ['12.5e+2', '1250'],
    ['17877285547970001', '17877285547970001'],
  ])('gives %s its one spelling %s', (printed, plain) => {
    expect(plainDecimal(printed)).toBe(plain);
  });

  it('refuses what is no number', () => {
    for (const text of ['', '.5', '1.', 'NaN', '1,000']) expect(() => plainDecimal(text)).toThrow('is no number');
  });
});
