import Big from 'big.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareDecimal, isDecimal, isDecimalInBytes, isPositive, isZero, negate, parseDecimal } from './decimal.js';
import { MarketDataError } from './error.js';

/** What an independent implementation writes out for the same number. */
const writtenOut = (raw: string): string => new Big(raw).toFixed().replace(/^-0$/, '0');
const digitsOf = (text: string): number => text.replace(/[-.]/g, '').length;

const digits = (minLength: number, maxLength: number) =>
  fc.string({ unit: fc.constantFrom(...'0123456789', '0', '0'), minLength, maxLength });
const exponent = fc
  .tuple(fc.constantFrom('e', 'E'), fc.constantFrom('', '+', '-'), fc.integer({ min: 0, max: 45 }), fc.boolean())
  .map(([mark, sign, power, padded]) => `${mark}${sign}${padded ? '0' : ''}${power}`);
/** Every spelling a venue may print: zero-padded, trailing zeros, exponents, 40 digits and more. */
const spelling = fc
  .tuple(
    fc.constantFrom('', '', '-'),
    digits(1, 40),
    fc.option(digits(1, 40), { nil: undefined }),
    fc.option(exponent, { nil: '' }),
  )
  .map(([sign, whole, fraction, power]) => `${sign}${whole}${fraction === undefined ? '' : `.${fraction}`}${power}`);

const codeOf = (action: () => unknown): string => {
  try {
    return `accepted as ${String(action())}`;
  } catch (error) {
    return error instanceof MarketDataError ? error.code : `threw ${String(error)}`;
  }
};

describe('parseDecimal', () => {
  it.each([
    ['1.16539E8', '116539000'],
    ['7.9276E-4', '0.00079276'],
    ['6E-8', '0.00000006'],
    ['9.101e-05', '0.00009101'],
    ['123.00000000', '123'],
    ['0.00077720', '0.0007772'],
    ['00127', '127'],
    ['-00.50', '-0.5'],
    ['1e+3', '1000'],
    ['0e999999', '0'],
    ['25752275.55420627', '25752275.55420627'],
    ['17877285547970001', '17877285547970001'],
  ])('reads %s, as seen on the wire, as %s', (raw, expected) => {
    expect(parseDecimal(raw)).toBe(expected);
  });

  it.each(['0', '-0', '0.0', '-0.000', '000', '0E-8', '-0e5'])('has one zero: %s is 0', (raw) => {
    expect(parseDecimal(raw)).toBe('0');
  });

  it('keeps 40 digits on both sides of the point', () => {
    const raw = `${'1234567890'.repeat(4)}.${'0987654321'.repeat(4)}`;
    expect(parseDecimal(raw)).toBe(raw);
  });

  it('equals an independent implementation for every spelling', () => {
    fc.assert(
      fc.property(spelling, (raw) => {
        expect(parseDecimal(raw)).toBe(writtenOut(raw));
      }),
      { numRuns: 3000 },
    );
  });

  it('gives equal numbers equal texts, whatever their spelling', () => {
    fc.assert(
      fc.property(spelling, fc.integer({ min: -30, max: 30 }), fc.nat({ max: 5 }), (raw, shift, zeros) => {
        const [coefficient = '', power = '0'] = raw.toLowerCase().split('e');
        const padded = coefficient.includes('.') ? coefficient + '0'.repeat(zeros) : coefficient;
        const moved = new Big(`${padded}e${Number(power) + shift}`);
        expect(parseDecimal(`${moved.toExponential()}`)).toBe(parseDecimal(moved.toFixed()));
      }),
    );
  });

  it('leaves its own output as it is', () => {
    fc.assert(
      fc.property(spelling, (raw) => {
        const once = parseDecimal(raw);
        expect(parseDecimal(once)).toBe(once);
        expect(isDecimal(once)).toBe(true);
      }),
    );
  });

  it.each([
    ...[
      '',
      ' ',
      '-',
      '+5',
      '.5',
      '5.',
      '1,000',
      ' 1',
      '1 ',
      '1\n',
      '0x10',
      '1_000',
      '--1',
      '1.2.3',
      '1e',
      'e5',
      '1e1.5',
    ],
    ...['NaN', 'Infinity', '-Infinity', 'null', 'true', '１２', '1e+-3', '1e0000001', '١'],
  ])('refuses %j', (raw) => {
    expect(codeOf(() => parseDecimal(raw))).toBe('VALIDATION_DECIMAL');
  });

  it('reads any text either as the number it is or refuses it with VALIDATION_DECIMAL', () => {
    const nearNumber = fc.string({ unit: fc.constantFrom(...'0123456789.-+eE ,_x\n'), maxLength: 14 });
    fc.assert(
      fc.property(fc.oneof(nearNumber, fc.string()), (raw) => {
        const outcome = codeOf(() => parseDecimal(raw));
        if (outcome !== 'VALIDATION_DECIMAL') expect(outcome).toBe(`accepted as ${writtenOut(raw)}`);
      }),
      { numRuns: 3000 },
    );
  });

  it('takes 128 digits written out and refuses the 129th, however short the spelling', () => {
    const most = '9'.repeat(128);
    expect(parseDecimal(most)).toBe(most);
    expect(parseDecimal(`-${most}`)).toBe(`-${most}`);
    expect(digitsOf(parseDecimal('1e127'))).toBe(128);
    expect(digitsOf(parseDecimal('1e-127'))).toBe(128);
    for (const raw of [`${most}9`, `0.${most}`, '1e128', '1e-128', '1e999999', '1e-999999']) {
      expect(codeOf(() => parseDecimal(raw))).toBe('VALIDATION_DECIMAL');
    }
  });

  it('names the value and what would be right, without repeating a megabyte', () => {
    expect(() => parseDecimal('12 won')).toThrow('not a decimal: "12 won"; expected a decimal number such as 127.5');
    expect(() => parseDecimal('x'.repeat(1_000_000))).toThrow(/^.{60,160}$/);
  });
});

describe('isDecimal', () => {
  it('is true for exactly the texts that parseDecimal leaves as they are', () => {
    const nearDecimal = fc.string({ unit: fc.constantFrom(...'00123.-e'), maxLength: 8 });
    fc.assert(
      fc.property(fc.oneof(nearDecimal, spelling), (text) => {
        expect(isDecimal(text)).toBe(codeOf(() => parseDecimal(text)) === `accepted as ${text}`);
      }),
      { numRuns: 3000 },
    );
  });

  it('keeps the bound of 128 digits', () => {
    expect(isDecimal(`-${'9'.repeat(64)}.${'9'.repeat(64)}`)).toBe(true);
    expect(isDecimal('9'.repeat(129))).toBe(false);
    expect(isDecimal(`0.${'9'.repeat(128)}`)).toBe(false);
  });
});

describe('isDecimalInBytes', () => {
  const text = fc.oneof(
    fc.string({ unit: fc.constantFrom(...'00123.-e'), maxLength: 8 }),
    spelling,
    spelling.map(parseDecimal),
    fc.string({ unit: fc.constantFrom(...'019.'), minLength: 120, maxLength: 135 }),
    fc.string({ unit: 'binary-ascii' }),
  );

  it('is isDecimal of the text there, whatever stands before and behind it', () => {
    fc.assert(
      fc.property(text, text, text, (before, own, behind) => {
        const bytes = new TextEncoder().encode(before + own + behind);
        expect(isDecimalInBytes(bytes, before.length, before.length + own.length)).toBe(isDecimal(own));
        const alone = new TextEncoder().encode(own);
        expect(isDecimalInBytes(alone, 0, alone.length)).toBe(isDecimal(own));
      }),
      { numRuns: 5000 },
    );
  });

  it('keeps the bound of 128 digits', () => {
    const isDecimalAlone = (own: string) => isDecimalInBytes(new TextEncoder().encode(own), 0, own.length);
    for (const sign of ['', '-']) {
      expect(isDecimalAlone(`${sign}${'9'.repeat(128)}`)).toBe(true);
      expect(isDecimalAlone(`${sign}${'9'.repeat(64)}.${'9'.repeat(64)}`)).toBe(true);
      expect(isDecimalAlone(`${sign}${'9'.repeat(129)}`)).toBe(false);
      expect(isDecimalAlone(`${sign}0.${'9'.repeat(128)}`)).toBe(false);
    }
  });

  it('is false for every byte that is no ASCII', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 6 }),
        fc.integer({ min: 128, max: 255 }),
        fc.nat(),
        (bytes, byte, at) => {
          bytes[at % bytes.length] = byte;
          expect(isDecimalInBytes(bytes, 0, bytes.length)).toBe(false);
        },
      ),
    );
  });
});

describe('arithmetic of signs and order', () => {
  it('compares as an independent implementation does', () => {
    fc.assert(
      fc.property(spelling, spelling, (a, b) => {
        expect(Math.sign(compareDecimal(parseDecimal(a), parseDecimal(b)))).toBe(new Big(a).cmp(b));
      }),
      { numRuns: 3000 },
    );
  });

  it('compares neighbours that differ in the last digit only', () => {
    fc.assert(
      fc.property(spelling, fc.integer({ min: 1, max: 60 }), fc.boolean(), (raw, places, above) => {
        const a = new Big(raw);
        const b = a.plus(`${above ? '' : '-'}1e-${places}`);
        const compared = compareDecimal(parseDecimal(a.toFixed()), parseDecimal(b.toFixed()));
        expect(Math.sign(compared)).toBe(above ? -1 : 1);
      }),
    );
  });

  it('finds a number equal to itself and opposite under negation', () => {
    fc.assert(
      fc.property(spelling, (raw) => {
        const value = parseDecimal(raw);
        expect(compareDecimal(value, value)).toBe(0);
        expect(negate(value)).toBe(writtenOut(new Big(raw).times(-1).toFixed()));
        expect(negate(negate(value))).toBe(value);
        expect(isZero(value)).toBe(new Big(raw).eq(0));
        expect(isPositive(value)).toBe(new Big(raw).gt(0));
      }),
    );
  });
});
