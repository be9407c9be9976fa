import { MarketDataError, type MarketEvent } from '@aipx/market-model';
import { type DescEnum, type DescMessage } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { channels, gapCauses, sides, streamTypes } from '../src/enums.js';
import { GAP_FIELDS } from '../src/gap.js';
import { ChannelSchema, SideSchema, StreamTypeSchema } from '../src/gen/aipx/market/v1/common_pb.js';
import { GapCauseSchema, GapSchema } from '../src/gen/aipx/market/v1/gap_pb.js';
import { LevelSchema, OrderBookSchema } from '../src/gen/aipx/market/v1/orderbook_pb.js';
import { TickDataSchema } from '../src/gen/aipx/market/v1/tick_pb.js';
import { decodeEvent, encodeEvent, EVENT_SCHEMAS } from '../src/index.js';
import { LEVEL_FIELDS, ORDER_BOOK_FIELDS } from '../src/order-book.js';
import { TICK_FIELDS } from '../src/tick.js';
import { nestedGroups, varint, wireFields } from './arbitrary-bytes.js';
import { events, gaps, orderBooks, ticks } from './arbitrary-events.js';
import { decodeByReflection, encodeByReflection } from './reflective-codec.js';
import { wire } from './wire.js';

const KINDS = ['tick', 'orderbook', 'gap'] as const;
const MAX_INT64 = 2n ** 63n - 1n;

/** The event, or code and message of what it is refused with; any other error fails the test. */
function outcomeOf(decode: () => MarketEvent): unknown {
  try {
    return decode();
  } catch (error) {
    if (!(error instanceof MarketDataError)) throw error;
    return { code: error.code, message: error.message };
  }
}

function expectSameOutcome(kind: MarketEvent['kind'], bytes: Uint8Array): void {
  expect(outcomeOf(() => decodeEvent(kind, bytes))).toStrictEqual(outcomeOf(() => decodeByReflection(kind, bytes)));
}

describe('the codec knows what proto/ says', () => {
  it.each<[DescMessage, Readonly<Record<string, number>>]>([
    [TickDataSchema, TICK_FIELDS],
    [OrderBookSchema, ORDER_BOOK_FIELDS],
    [LevelSchema, LEVEL_FIELDS],
    [GapSchema, GAP_FIELDS],
  ])('%s: every field under its number', (schema, fields) => {
    expect(fields).toEqual(Object.fromEntries(schema.fields.map(({ localName, number }) => [localName, number])));
  });

  it.each<[DescEnum, { toWire(word: never): number; fromWire(wire: number): string | undefined }]>([
    [SideSchema, sides],
    [StreamTypeSchema, streamTypes],
    [ChannelSchema, channels],
    [GapCauseSchema, gapCauses],
  ])('%s: its own word for every value but the unspecified', (schema, words) => {
    for (const { number, localName } of schema.values) {
      const word = words.fromWire(number);
      expect(word?.toUpperCase()).toBe(number === 0 ? undefined : localName);
      expect(words.toWire(word as never)).toBe(number);
    }
  });

  it('names each kind’s message in full', () => {
    expect(EVENT_SCHEMAS).toEqual({
      tick: TickDataSchema.typeName,
      orderbook: OrderBookSchema.typeName,
      gap: GapSchema.typeName,
    });
  });
});

describe('encoding', () => {
  it.each([
    ['tick', ticks],
    ['orderbook', orderBooks],
    ['gap', gaps],
  ] as const)('writes every %s byte for byte as Protobuf-ES does', (_kind, arbitrary) => {
    fc.assert(
      fc.property(arbitrary as fc.Arbitrary<MarketEvent>, (event) => {
        expect(hex(encodeEvent(event))).toBe(hex(encodeByReflection(event)));
      }),
      { numRuns: 500 },
    );
  });

  it('does so for text of any length and any characters, lone surrogates included', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 400 }),
      fc.string({ unit: fc.constantFrom('a', '0', 'é', '한', '😀', '\ud800', '\udc00'), maxLength: 200 }),
      fc.string({ unit: 'binary-ascii', minLength: 60, maxLength: 140 }),
    );
    const filled = fc
      .record({ gap: gaps, detail: text, symbol: text })
      .map(({ gap, ...texts }) => ({ ...gap, ...texts }));
    fc.assert(
      fc.property(filled, (gap) => {
        expect(hex(encodeEvent(gap))).toBe(hex(encodeByReflection(gap)));
      }),
      { numRuns: 500 },
    );
  });

  it('does so for every integer of 64 bits', () => {
    const powers = fc.tuple(fc.integer({ min: 0, max: 63 }), fc.constantFrom(-1n, 0n, 1n), fc.constantFrom(-1n, 1n));
    const int64 = fc.oneof(
      fc.bigInt({ min: -MAX_INT64 - 1n, max: MAX_INT64 }),
      powers.map(([power, off, sign]) => BigInt.asIntN(64, sign * (2n ** BigInt(power) + off))),
    );
    fc.assert(
      fc.property(gaps, int64, int64, int64, (gap, from, to, missed) => {
        const event = { ...gap, from, to, missed: BigInt.asUintN(64, missed) };
        expect(hex(encodeEvent(event))).toBe(hex(encodeByReflection(event)));
        expect(decodeEvent('gap', encodeEvent(event))).toStrictEqual(event);
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    [{ from: MAX_INT64 + 1n }, /field 4 is 9223372036854775808/],
    [{ to: -MAX_INT64 - 2n }, /field 5 is -9223372036854775809/],
    [{ missed: -1n }, /field 7 is -1/],
    [{ missed: 2n ** 64n }, /field 7 is 18446744073709551616/],
  ])(
    'refuses a number that 64 bits cannot hold, and writes the next event as if nothing had been: %o',
    (fields, message) => {
      fc.assert(
        fc.property(gaps, events, (gap, next) => {
          expect(() => encodeEvent({ ...gap, ...fields })).toThrow(
            expect.objectContaining({
              code: 'VALIDATION_RECORD',
              message: expect.stringMatching(message) as string,
            }) as Error,
          );
          expect(hex(encodeEvent(next))).toBe(hex(encodeByReflection(next)));
        }),
        { numRuns: 20 },
      );
    },
  );

  it('refuses a word that the enum does not have', () => {
    fc.assert(
      fc.property(ticks, (tick) => {
        expect(() => encodeEvent({ ...tick, side: 'HOLD' as 'BUY' })).toThrow(/no enum has the word "HOLD"/);
      }),
      { numRuns: 5 },
    );
  });

  it('gives bytes that nothing changes later', () => {
    fc.assert(
      fc.property(fc.array(events, { minLength: 2, maxLength: 10 }), (several) => {
        const encoded = several.map(encodeEvent);
        expect(encoded.map(hex)).toEqual(several.map((event) => hex(encodeByReflection(event))));
      }),
    );
  });

  it('writes a huge record, and small ones after it', () => {
    const [gap, tick] = [fc.sample(gaps, 1)[0], fc.sample(ticks, 1)[0]];
    if (gap === undefined || tick === undefined) expect.unreachable('fast-check makes samples');
    for (const detail of ['x'.repeat(1_000_000), '한'.repeat(300_000), 'x'.repeat(70_000)]) {
      // Nobody could read the difference between two of them.
      const isSame = Buffer.from(encodeEvent({ ...gap, detail })).equals(encodeByReflection({ ...gap, detail }));
      expect(isSame).toBe(true);
      expect(hex(encodeEvent(tick))).toBe(hex(encodeByReflection(tick)));
    }
  });
});

describe('decoding', () => {
  it('comes to what Protobuf-ES comes to when fields are added, repeated or out of order', () => {
    fc.assert(
      fc.property(events, wireFields, wireFields, (event, before, after) => {
        expectSameOutcome(event.kind, Buffer.concat([before, encodeEvent(event), after]));
      }),
      { numRuns: 3_000 },
    );
  });

  it('comes to the same for any fields at all', () => {
    fc.assert(
      fc.property(fc.constantFrom(...KINDS), wireFields, (kind, bytes) => {
        expectSameOutcome(kind, bytes);
      }),
      { numRuns: 5_000 },
    );
  });

  it('comes to the same for two messages merged into one', () => {
    fc.assert(
      fc.property(events, events, (one, other) => {
        expectSameOutcome(one.kind, Buffer.concat([encodeEvent(one), encodeEvent(other)]));
      }),
      { numRuns: 500 },
    );
  });

  it('comes to the same when bytes are changed, put in, taken out or cut off', () => {
    const damage = fc.record({ at: fc.nat(), removed: fc.nat({ max: 3 }), inserted: fc.uint8Array({ maxLength: 3 }) });
    const cuts = fc.option(fc.nat(), { nil: undefined });
    fc.assert(
      fc.property(events, fc.array(damage, { maxLength: 3 }), cuts, (event, damages, cut) => {
        let bytes: Uint8Array = encodeEvent(event);
        for (const { at, removed, inserted } of damages) {
          const start = at % (bytes.length + 1);
          bytes = Buffer.concat([bytes.subarray(0, start), inserted, bytes.subarray(start + removed)]);
        }
        expectSameOutcome(event.kind, cut === undefined ? bytes : bytes.subarray(0, cut % (bytes.length + 1)));
      }),
      { numRuns: 5_000 },
    );
  });

  it('comes to the same for bytes that are no message', () => {
    fc.assert(
      fc.property(fc.constantFrom(...KINDS), fc.uint8Array({ maxLength: 80 }), (kind, bytes) => {
        expectSameOutcome(kind, bytes);
      }),
      { numRuns: 5_000 },
    );
  });

  it('takes the last of a repeated field, and what comes first of none', () => {
    const fields = wire(
      [1, 'KRW-ETH'],
      [1, 'KRW-BTC'],
      [2, '1.0'],
      [2, '7'],
      [3, 'x'],
      [3, '2'],
      [4, 1n],
      [4, 5n],
      [7, 'upbit'],
    );
    const bytes = Buffer.concat([fields, wire([8, 1n], [8, 2n], [9, '1'])]);
    expect(decodeEvent('tick', bytes)).toMatchObject({
      symbol: 'KRW-BTC',
      price: '7',
      volume: '2',
      timestamp: 5n,
      side: 'SELL',
    });
    expectSameOutcome('tick', bytes);
  });

  it.each([
    ['an integer of eleven bytes', [0x20, ...varint(1n, 11)], false],
    ['an integer of ten bytes', [0x20, ...varint(1n, 10)], true],
    ['a length of eleven bytes', [0x0a, ...varint(0n, 11)], false],
    ['a length of ten bytes', [0x0a, ...varint(1n, 10), 0x41], true],
    ['a length of four gigabytes', [0x0a, ...varint(2n ** 32n - 1n), 0x41], false],
    ['a level that claims four gigabytes', [0x12, ...varint(2n ** 32n - 1n), 0x0a, 1, 0x31], false],
    ['a tag of five bytes that is no uint32', [0x88, 0x80, 0x80, 0x80, 0x10, 0], false],
    ['a tag of six bytes', [0x88, 0x80, 0x80, 0x80, 0x80, 0, 0], false],
    ['a field of number 0', [0x02, 0], false],
    ['a wire type that does not exist', [0x0f, 0], false],
    ['an unknown integer of thirty bytes', [0xa0, 6, ...varint(0n, 30)], true],
    ['text that is no UTF-8', [0x0a, 2, 0xc3, 0x28], false],
    ['a continuation byte alone', [0x0a, 1, 0x80], false],
    ['the end of a group that never began', [0xa4, 6], false],
    ['a group that ends as another', [0xa3, 6, 0xac, 6], false],
    ['99 groups within each other', [...nestedGroups(99)], true],
    ['100 groups within each other', [...nestedGroups(100)], false],
    ['98 groups within a level', [0x12, ...varint(392n), ...nestedGroups(98)], true],
    ['99 groups within a level', [0x12, ...varint(396n), ...nestedGroups(99)], false],
  ])('meets %s as Protobuf-ES does', (_title, bytes, isMessage) => {
    // A book may have any of them; it is then refused for what it lacks.
    const outcome = outcomeOf(() => decodeEvent('orderbook', Uint8Array.from(bytes)));
    const refusal = /bytes are not a aipx.market.v1.OrderBook/;
    expect(refusal.test((outcome as { message: string }).message)).toBe(!isMessage);
    for (const kind of KINDS) expectSameOutcome(kind, Uint8Array.from(bytes));
  });

  it('reads from any part of any memory', () => {
    fc.assert(
      fc.property(events, fc.nat({ max: 20 }), fc.boolean(), (event, offset, isBuffer) => {
        const encoded = encodeEvent(event);
        const memory = new ArrayBuffer(offset + encoded.length + 5);
        const part = new Uint8Array(memory, offset, encoded.length);
        part.set(encoded);
        const bytes = isBuffer ? Buffer.from(memory, offset, encoded.length) : part;
        expect(decodeEvent(event.kind, bytes)).toStrictEqual(event);
        part.fill(0);
      }),
    );
  });

  it('keeps the event when the bytes change afterwards', () => {
    fc.assert(
      fc.property(events, (event) => {
        const bytes = encodeEvent(event);
        const read = decodeEvent(event.kind, bytes);
        bytes.fill(0x31);
        expect(read).toStrictEqual(event);
      }),
    );
  });
});

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
