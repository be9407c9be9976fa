import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseJsonKeepingDigits } from './json.js';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** A JSON document next to what it means when its numbers are kept as text. */
interface Document {
  readonly json: string;
  readonly value: unknown;
}

const number: fc.Arbitrary<Document> = fc
  .tuple(
    fc.constantFrom('', '-'),
    fc.bigInt({ min: 0n, max: 10n ** 30n }),
    fc.constantFrom('', '.0', '.00012300', '.5'),
  )
  .chain(([sign, whole, fraction]) =>
    fc.constantFrom('', 'e8', 'E-8', 'e+05', 'E0').map((power) => `${sign}${whole}${fraction}${power}`),
  )
  .map((text) => ({ json: text, value: text }));

const awkward = fc.string({
  unit: fc.constantFrom('"', '\\', '1', '-', ':', ',', '[', '{', 'é', '한', '😀', '\n', 'e', ' '),
});
const text: fc.Arbitrary<Document> = fc
  .oneof(awkward, fc.string({ unit: 'binary' }))
  .map((value) => ({ json: JSON.stringify(value), value }));
const word: fc.Arbitrary<Document> = fc
  .constantFrom(true, false, null)
  .map((value) => ({ json: String(value), value }));
const space = fc.string({ unit: fc.constantFrom(' ', '\n', '\t', '\r'), maxLength: 2 });

const { document } = fc.letrec<{ document: Document; list: Document; object: Document }>((tie) => ({
  document: fc.oneof({ maxDepth: 4 }, number, text, word, tie('list'), tie('object')),
  list: fc.tuple(fc.array(tie('document'), { maxLength: 4 }), space).map(([items, gap]) => ({
    json: `[${gap}${items.map((item) => item.json).join(`${gap},${gap}`)}${gap}]`,
    value: items.map((item) => item.value),
  })),
  object: fc
    .tuple(fc.uniqueArray(fc.tuple(text, tie('document')), { maxLength: 4, selector: ([key]) => key.value }), space)
    .map(([entries, gap]) => ({
      json: `{${entries.map(([key, item]) => `${gap}${key.json}${gap}:${gap}${item.json}${gap}`).join(',')}}`,
      value: Object.fromEntries(entries.map(([key, item]) => [key.value, item.value])),
    })),
}));

/** What `JSON.parse` makes of it, with its rounded numbers where ours keeps the digits. */
const rounded = (value: unknown, plain: unknown): unknown => {
  if (typeof plain === 'number') return Number(value);
  if (Array.isArray(plain)) return plain.map((item, index) => rounded((value as unknown[])[index], item));
  if (typeof plain !== 'object' || plain === null) return value;
  return Object.fromEntries(
    Object.entries(plain).map(([key, item]) => [key, rounded((value as Record<string, unknown>)[key], item)]),
  );
};

const accepts = (parse: () => unknown): boolean => {
  try {
    parse();
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(SyntaxError);
    return false;
  }
};

describe('parseJsonKeepingDigits', () => {
  it('keeps every digit of a number, in any document', () => {
    fc.assert(
      fc.property(document, ({ json, value }) => {
        expect(parseJsonKeepingDigits(json)).toEqual(value);
      }),
      { numRuns: 1000 },
    );
  });

  it('agrees with JSON.parse on everything but the digits it keeps', () => {
    fc.assert(
      fc.property(document, ({ json }) => {
        const plain: unknown = JSON.parse(json);
        expect(rounded(parseJsonKeepingDigits(json), plain)).toEqual(plain);
      }),
    );
  });

  it('reads UTF-8 bytes as it reads their text', () => {
    fc.assert(
      fc.property(document, ({ json, value }) => {
        expect(parseJsonKeepingDigits(bytes(json))).toEqual(value);
      }),
    );
  });

  it('tells apart ids beyond 2^53 that JSON.parse makes equal', () => {
    const json = '[17877285547970000,17877285547970001,9007199254740993,9007199254740992]';
    const ids = parseJsonKeepingDigits(json) as string[];
    expect(ids).toEqual(['17877285547970000', '17877285547970001', '9007199254740993', '9007199254740992']);
    expect(new Set(JSON.parse(json) as number[]).size).toBeLessThan(new Set(ids).size);
  });

  it('leaves digits, quotes, escapes and brackets inside of strings alone', () => {
    const json = String.raw`{"16:51:02":"a \"1\", [-2] \\","\\":-3.50,"k\\\"4":"\u0035 6","":"7"}`;
    expect(parseJsonKeepingDigits(json)).toEqual({
      '16:51:02': String.raw`a "1", [-2] ${'\\'}`,
      '\\': '-3.50',
      [String.raw`k\"4`]: '5 6',
      '': '7',
    });
  });

  it('makes text of a number at the top', () => {
    expect(parseJsonKeepingDigits(' -1.50E-7\n')).toBe('-1.50E-7');
  });

  it.each([
    ...[
      '',
      ' ',
      '-',
      '+1',
      '01',
      '-01',
      '1.',
      '.5',
      '1e',
      '1e+',
      '1-1',
      '1 2',
      '1"a"',
      '"a"1',
      '[1,]',
      '[1,,2]',
      '[-]',
    ],
    ...[
      '{1:2}',
      '{"a":1,2 : 3}',
      '{"a" 1}',
      '{"a":1',
      '"1',
      '"\\',
      '"a\\"',
      '[1}2]',
      'tru1',
      '0x1',
      'NaN',
      '\ufeff1',
      '1\u00a0',
    ],
  ])('refuses %j as JSON.parse does', (json) => {
    expect(() => JSON.parse(json) as unknown).toThrow(SyntaxError);
    expect(() => parseJsonKeepingDigits(json)).toThrow(SyntaxError);
  });

  it('accepts exactly what JSON.parse accepts, after any damage', () => {
    const damage = fc.tuple(
      fc.nat(),
      fc.nat({ max: 3 }),
      fc.string({ unit: fc.constantFrom(...'019-+.eE"\\:,[]{} t'), maxLength: 2 }),
    );
    fc.assert(
      fc.property(document, damage, ({ json }, [position, removed, inserted]) => {
        const at = position % (json.length + 1);
        const damaged = (json.slice(0, at) + inserted + json.slice(at + removed)).toWellFormed();
        expect(accepts(() => parseJsonKeepingDigits(damaged))).toBe(accepts(() => JSON.parse(damaged) as unknown));
      }),
      { numRuns: 3000 },
    );
  });

  it('refuses bytes that are not UTF-8 with a TypeError', () => {
    for (const broken of [[0xff], [0x22, 0xc3, 0x22], [0x22, 0xed, 0xa0, 0x80, 0x22], [0x80]]) {
      expect(() => parseJsonKeepingDigits(Uint8Array.from(broken))).toThrow(TypeError);
    }
  });

  it('reads a document larger than its shared buffer, and a small one after it', () => {
    const ids = Array.from({ length: 60_000 }, (_, index) => `178772855479${index + 10_000}`);
    expect(parseJsonKeepingDigits(`[${ids.join(',')}]`)).toEqual(ids);
    expect(parseJsonKeepingDigits('[1]')).toEqual(['1']);
  });

  it('holds the densest document there is: one digit, one comma', () => {
    const dense = `[${Array.from({ length: 200_000 }, () => '1').join(',')}]`;
    expect(parseJsonKeepingDigits(dense)).toHaveLength(200_000);
  });
});
