import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseDecimal } from './decimal.js';
import { parseJsonKeepingDigits } from './json.js';
import type { JsonCursor, JsonListReader } from './plain-json.js';

/** JSON as venues send it: ASCII without escapes. `parseJsonKeepingDigits` has a faster way for it. */
const numbers = fc
  .tuple(
    fc.constantFrom('', '', '-'),
    fc.bigInt({ min: 0n, max: 10n ** 20n }),
    fc.constantFrom('', '', '.0', '.00012300', '.5', '.12345678'),
    fc.constantFrom('', '', '', 'e8', 'E-8', 'e+05', 'E0'),
  )
  .map((parts) => parts.join(''));
const characters = 'abcXYZ019 .,:-+eE[]{}_\x7f'.split('');
const strings = fc.string({ unit: fc.constantFrom(...characters), maxLength: 8 }).map((text) => `"${text}"`);
const keys = fc.oneof(
  fc.constantFrom('"ap"', '"bp"', '"as"', '"bs"', '"code"', '"__proto__"', '"constructor"', '"0"', '""'),
  strings,
  fc.string({ unit: fc.constantFrom('a', 'b'), minLength: 28, maxLength: 40 }).map((text) => `"${text}"`),
);
const space = fc.constantFrom('', '', '', ' ', '\n\t', '\r ');

const { documents } = fc.letrec<{ documents: string; list: string; object: string }>((tie) => ({
  documents: fc.oneof(
    { maxDepth: 5, depthSize: 'medium' },
    numbers,
    strings,
    fc.constantFrom('true', 'false', 'null'),
    tie('list'),
    tie('object'),
  ),
  list: fc
    .tuple(fc.array(tie('documents'), { maxLength: 5 }), space)
    .map(([items, gap]) => `[${gap}${items.join(`${gap},${gap}`)}${gap}]`),
  object: fc
    .tuple(fc.array(fc.tuple(keys, tie('documents')), { maxLength: 5 }), space)
    .map(([entries, gap]) => `{${entries.map(([key, value]) => `${gap}${key}${gap}:${gap}${value}${gap}`).join(',')}}`),
}));

/** `JSON.parse` with its own access to the digits: slow, and not ours. */
function parsedByEngine(json: string): unknown {
  const reviver = (_key: string, value: unknown, context?: { readonly source?: string }): unknown =>
    typeof value === 'number' ? context?.source : value;
  return JSON.parse(json, reviver as (key: string, value: unknown) => unknown);
}

/** The value as JSON, which shows its order and tells any two apart; or that it was refused. */
function outcomeOf(parse: () => unknown): string {
  try {
    return JSON.stringify(parse());
  } catch (error) {
    expect(error).toBeInstanceOf(SyntaxError);
    return 'refused';
  }
}

describe('parseJsonKeepingDigits on plain JSON', () => {
  it('comes to what JSON.parse comes to, key for key in its order, with the digits of every number', () => {
    fc.assert(
      fc.property(documents, (json) => {
        expect(JSON.stringify(parseJsonKeepingDigits(json))).toBe(JSON.stringify(parsedByEngine(json)));
      }),
      { numRuns: 3000 },
    );
  });

  it('comes to the same, or refuses the same, after any damage', () => {
    const damage = fc.tuple(
      fc.nat(),
      fc.nat({ max: 3 }),
      fc.string({ unit: fc.constantFrom(...'019-+.eE"\\:,[]{} tn\0\x01'), maxLength: 2 }),
    );
    fc.assert(
      fc.property(documents, fc.array(damage, { minLength: 1, maxLength: 3 }), (json, damages) => {
        const damaged = damages.reduce((text, [position, removed, inserted]) => {
          const at = position % (text.length + 1);
          return text.slice(0, at) + inserted + text.slice(at + removed);
        }, json);
        expect(outcomeOf(() => parseJsonKeepingDigits(damaged))).toBe(outcomeOf(() => parsedByEngine(damaged)));
      }),
      { numRuns: 5000 },
    );
  });

  it('reads any depth, deeper than it nests itself', () => {
    for (const depth of [1, 15, 16, 17, 18, 1_000]) {
      const [list, object] = [
        `${'['.repeat(depth)}${']'.repeat(depth)}`,
        `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`,
      ];
      expect(JSON.stringify(parseJsonKeepingDigits(list))).toBe(list);
      expect(JSON.stringify(parseJsonKeepingDigits(object))).toBe(object.replace('1', '"1"'));
    }
  });

  it('reads what is nested too deep for a function that calls itself', () => {
    const depth = 100_000;
    let value = parseJsonKeepingDigits(`${'['.repeat(depth)}1${']'.repeat(depth)}`);
    for (let level = 0; level < depth; level += 1) value = (value as readonly unknown[])[0];
    expect(value).toBe('1');
  });

  it.each([
    '{"a":1:"b":2}',
    '[1:2]',
    '{"a":1"b":2}',
    '{"a":1,}',
    '{,}',
    '[,1]',
    '{"a"}',
    '{"a":}',
    '{"a":1]',
    '[1}',
    '{1:2}',
  ])('refuses %s, as JSON.parse does', (json) => {
    expect(() => JSON.parse(json) as unknown).toThrow(SyntaxError);
    expect(() => parseJsonKeepingDigits(json)).toThrow(SyntaxError);
  });

  it('tells more keys apart than it remembers, however alike', () => {
    const endingAlike = (index: number) => [`${String(index).padStart(32, 'k')}x${index}`, `x${index}`];
    const keys = Array.from({ length: 3_000 }, (_, index) => endingAlike(index)).flat();
    const json = `{${keys.map((key) => `"${key}":"${key}"`).join(',')}}`;
    for (let times = 0; times < 3; times += 1) expect(parseJsonKeepingDigits(json)).toEqual(JSON.parse(json));
  });

  it('is not confused by the frame before', () => {
    expect(parseJsonKeepingDigits('{"ap":1,"bp":2}')).toEqual({ ap: '1', bp: '2' });
    expect(parseJsonKeepingDigits('{"ap":1,"bpp":2}')).toEqual({ ap: '1', bpp: '2' });
    expect(parseJsonKeepingDigits('{"ap":1,"b":2}')).toEqual({ ap: '1', b: '2' });
    for (const json of ['{"ap":1,"bp', '{"ap":1,"bp"', '{"ap":1,"bp":', '{"ap']) {
      expect(() => parseJsonKeepingDigits(json)).toThrow(SyntaxError);
    }
  });
});

describe('a list reader', () => {
  const sums = (read: JsonListReader) => new Map([['sizes', read]]);
  /** The numbers of a list as one text. */
  const joined: JsonListReader = (json) => {
    const found: (string | undefined)[] = [];
    for (let more = json.hasFirst(); more; more = json.hasNext()) found.push(json.decimal());
    return found.join(' ');
  };

  it('reads the lists of its key, at any depth, and no other', () => {
    const json = '{"sizes":[1.50, 2E2 ,-0],"prices":[1.50],"in":[{"sizes":[]},{"sizes":[7]}]}';
    expect(parseJsonKeepingDigits(json, sums(joined))).toEqual({
      sizes: '1.5 200 0',
      prices: ['1.50'],
      in: [{ sizes: '' }, { sizes: '7' }],
    });
  });

  it('is not asked about what is no list', () => {
    expect(parseJsonKeepingDigits('{"sizes":{"a":1}}', sums(joined))).toEqual({ sizes: { a: '1' } });
    expect(parseJsonKeepingDigits('{"constructor":[1]}', sums(joined))).toEqual({ constructor: ['1'] });
  });

  it.each(['[1,"2"]', '[1,null]', '[[1]]', '[1e999]', `[${'9'.repeat(129)}]`, `[0.${'1'.repeat(128)}]`, '[1,{"a":2}]'])(
    'that finds something else in %s leaves a plain list, and the next list to itself',
    (list) => {
      const json = `{"sizes":${list},"in":{"sizes":[3]}}`;
      expect(parseJsonKeepingDigits(json, sums(joined))).toEqual({
        sizes: (parseJsonKeepingDigits(`{"x":${list}}`) as { x: unknown }).x,
        in: { sizes: '3' },
      });
    },
  );

  it('that returns nothing leaves a plain list', () => {
    expect(
      parseJsonKeepingDigits(
        '{"sizes":[1,2]}',
        sums(() => undefined),
      ),
    ).toEqual({ sizes: ['1', '2'] });
  });

  it('that stops before the end of the list leaves a plain list', () => {
    const first: JsonListReader = (json) => (json.hasFirst() ? json.decimal() : '');
    expect(parseJsonKeepingDigits('{"sizes":[1,2]}', sums(first))).toEqual({ sizes: ['1', '2'] });
  });

  it('reads objects key by key, whatever else is in them', () => {
    const prices: JsonListReader = (json) => {
      const found: string[] = [];
      for (let more = json.hasFirst(); more; more = json.hasNext()) found.push(priceOf(json));
      return found;
    };
    const priceOf = (json: JsonCursor): string => {
      let price = '';
      for (let key = json.firstKey(); key !== undefined; key = json.nextKey()) {
        if (key === 'price') price = json.decimal() ?? '';
        else json.skip();
      }
      return price;
    };
    const json = '{"sizes":[{"price":1,"x":[{}, "a"]},{},{ "y" : {"price":9} , "price" : 2.0 }],"sizes2":1}';
    expect(parseJsonKeepingDigits(json, sums(prices))).toEqual({ sizes: ['1', '', '2'], sizes2: '1' });
  });

  it('gets every number in its canonical spelling', () => {
    fc.assert(
      fc.property(fc.array(numbers, { maxLength: 5 }), space, (list, gap) => {
        const json = `{"sizes":[${list.map((number) => gap + number + gap).join(',')}]}`;
        expect(parseJsonKeepingDigits(json, sums(joined))).toEqual({ sizes: list.map(parseDecimal).join(' ') });
      }),
      { numRuns: 1000 },
    );
  });

  it('lets nothing through that JSON.parse refuses', () => {
    const pieces = fc.array(
      fc.constantFrom('1', '-', '.', '0', 'e', '+', ',', '[', ']', '"', ' ', '{', '}', ':', 'a'),
      {
        maxLength: 8,
      },
    );
    const sizes = fc
      .tuple(pieces, pieces)
      .map(([inside, behind]) => `{"sizes":[${inside.join('')}]${behind.join('')}}`);
    fc.assert(
      fc.property(sizes, (json) => {
        const outcome = outcomeOf(() => parseJsonKeepingDigits(json, sums(joined)));
        expect(outcome === 'refused').toBe(outcomeOf(() => JSON.parse(json) as unknown) === 'refused');
      }),
      { numRuns: 5000 },
    );
  });

  it('is asked only about documents in ASCII without escapes', () => {
    for (const json of ['{"sizes":[1],"name":"\\n"}', '{"sizes":[1],"name":"한"}']) {
      expect(parseJsonKeepingDigits(json, sums(joined))).toMatchObject({ sizes: ['1'] });
    }
  });
});
