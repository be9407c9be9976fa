import { MarketDataError, parseJsonKeepingDigits } from '@aipx/market-model';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bookFrame, bookOf, bytes, FORMATS, read, recordsOf, type Unit } from '../test/driver-frames.js';
import { BookSides, UNIT_LISTS } from './order-book-units.js';
import type { OrderBookMessage } from './order-book.js';

/** Numbers as Upbit spells them, rarely one that it does not print or something else in its place. */
const numbers = fc.oneof(
  { weight: 30, arbitrary: fc.integer({ min: 1, max: 1_000 }).map(String) },
  {
    weight: 10,
    arbitrary: fc.constantFrom('1.16539E8', '7.9276E-4', '0.00000113', '123.00000000', '9.101e-05', '0.5'),
  },
  { weight: 3, arbitrary: fc.constantFrom('0', '0.0', '0E-8', '-1', '-0', '1e300') },
  { weight: 1, arbitrary: fc.constantFrom('"1.5"', '"many"', 'null', '[1]', '{}', 'true', '""') },
);
const usualNames = fc.constantFrom(['ap', 'bp', 'as', 'bs'], ['ask_price', 'bid_price', 'ask_size', 'bid_size']);
const anyNames = fc.array(
  fc.constantFrom('ap', 'bp', 'as', 'bs', 'ask_price', 'bid_price', 'ask_size', 'bid_size', 'new'),
  {
    maxLength: 6,
  },
);
const space = fc.constantFrom('', '', '', ' ', '\n');

const unit = fc
  .tuple(
    fc.oneof({ weight: 12, arbitrary: usualNames }, anyNames),
    fc.array(numbers, { minLength: 6, maxLength: 6 }),
    space,
  )
  .map(
    ([names, values, gap]) =>
      `{${names.map((name, at) => `${gap}"${name}"${gap}:${gap}${values[at]}${gap}`).join(',')}}`,
  );
const odd = fc.constantFrom('null', '[]', '7', '"unit"');
const units = fc
  .array(fc.oneof({ weight: 30, arbitrary: unit }, odd), { maxLength: 5 })
  .map((list) => `[${list.join(',')}]`);

/** Books in order, as the venue sends them. */
const sound = fc
  .array(fc.tuple(numbers, numbers), { maxLength: 15 })
  .map((sizes) => sizes.map(([ask, bid], at): Unit => [`${at + 101}.50`, ask, `${(100 - at) / 4}`, bid]));

/** A Korean name in it keeps the frame off the fast way, and says nothing. */
function theLongWay(frame: Uint8Array): Uint8Array {
  return bytes(new TextDecoder().decode(frame).replace('{', '{"korean_name":"비트코인",'));
}

/** As it is, with the errors told by what callers see of them. */
function outcomeOf(frame: Uint8Array): unknown {
  return JSON.parse(
    JSON.stringify(read(frame), (_key, value: unknown) => {
      if (typeof value === 'bigint') return value.toString();
      return value instanceof MarketDataError ? value.toJSON() : value;
    }),
  );
}

describe('the fast way to read units', () => {
  it.each(FORMATS)('is taken for what the venue sends in format %s', (format) => {
    const content = parseJsonKeepingDigits(bookFrame(undefined, {}, format), UNIT_LISTS);
    const message = (Array.isArray(content) ? content[0] : content) as OrderBookMessage;
    expect(message.orderbook_units ?? message.obu).toBeInstanceOf(BookSides);
  });

  it('makes the same book of a sound frame as the long way', () => {
    fc.assert(
      fc.property(sound, fc.constantFrom(...FORMATS), (list, format) => {
        const frame = bookFrame(list, {}, format);
        expect(outcomeOf(frame)).toEqual(outcomeOf(theLongWay(frame)));
      }),
      { numRuns: 200 },
    );
  });

  it('makes the same book, or the same rejection, of whatever stands in a frame', () => {
    fc.assert(
      fc.property(units, fc.constantFrom('orderbook_units', 'obu'), (list, name) => {
        const frame = bookFrame(undefined, { orderbook_units: undefined, [name]: list });
        expect(outcomeOf(frame)).toEqual(outcomeOf(theLongWay(frame)));
      }),
      { numRuns: 3_000 },
    );
  });

  it('lets a long name win over its short one, which no frame mixes, in any order', () => {
    const price = (fields: string) =>
      bookOf(bookFrame(undefined, { orderbook_units: `[{"ap":2,"as":1,"bp":1,"bs":1,${fields}}]` })).asks[0]?.price;
    expect([price('"ask_price":3'), price('"ask_price":null'), price('"ap":4')]).toEqual(['3', '2', '4']);
  });

  it('reads units that have a field more than today', () => {
    const frame = bookFrame(undefined, { orderbook_units: '[{"ap":2,"n":[{"x":1}],"as":3,"bp":1,"bs":4}]' });
    expect(bookOf(frame)).toMatchObject({
      asks: [{ price: '2', quantity: '3' }],
      bids: [{ price: '1', quantity: '4' }],
    });
  });

  it('takes a frame that breaks off in its units for no JSON', () => {
    const text = new TextDecoder().decode(bookFrame());
    const begin = text.indexOf('[');
    for (let end = begin; end < text.length; end += 1) {
      expect(recordsOf(bytes(text.slice(0, end)))).toMatchObject([
        { outcome: 'rejected', error: { code: 'VALIDATION_FRAME', message: 'undecodable frame: not JSON' } },
      ]);
    }
  });
});
