import { MarketDataError, type MarketEvent } from '@aipx/market-model';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeEvent, encodeEvent } from '../src/index.js';
import { events, gaps, orderBooks, ticks } from './arbitrary-events.js';
import { wire } from './wire.js';

/** The code of the `MarketDataError` that decoding throws; anything else it throws fails the test. */
function refusalOf(kind: MarketEvent['kind'], bytes: Uint8Array): string | undefined {
  try {
    decodeEvent(kind, bytes);
    return undefined;
  } catch (error) {
    if (error instanceof MarketDataError) return error.code;
    throw error;
  }
}

describe('the codec', () => {
  it.each([
    ['tick', ticks],
    ['orderbook', orderBooks],
    ['gap', gaps],
  ] as const)('gives back every %s exactly as it was encoded', (kind, arbitrary) => {
    fc.assert(
      fc.property(arbitrary as fc.Arbitrary<MarketEvent>, (event) => {
        expect(decodeEvent(kind, encodeEvent(event))).toStrictEqual(event);
      }),
      { numRuns: 300 },
    );
  });

  it('writes the same bytes for the same event', () => {
    fc.assert(
      fc.property(events, (event) => {
        expect(encodeEvent(structuredClone(event))).toEqual(encodeEvent(event));
      }),
    );
  });

  it('skips fields that a newer version may write', () => {
    const later = wire([100, 'later'], [101, 17n], [102, wire([1, 'nested'])], [2_000, Uint8Array.of(1, 2, 3)]);
    fc.assert(
      fc.property(events, fc.boolean(), (event, first) => {
        const bytes = encodeEvent(event);
        const extended = Buffer.concat(first ? [later, bytes] : [bytes, later]);
        expect(decodeEvent(event.kind, extended)).toStrictEqual(event);
      }),
    );
  });

  it('refuses what is cut short inside of a field, and never throws anything but a MarketDataError', () => {
    fc.assert(
      fc.property(events, (event) => {
        const bytes = encodeEvent(event);
        const boundaries = fieldEnds(bytes);
        for (let end = 0; end < bytes.length; end += 1) {
          const code = refusalOf(event.kind, bytes.subarray(0, end));
          if (!boundaries.has(end)) expect(code).toBe('VALIDATION_RECORD');
        }
      }),
      { numRuns: 50 },
    );
  });

  it('answers any bytes at all with an event or a MarketDataError', () => {
    const kinds = fc.constantFrom<MarketEvent['kind']>('tick', 'orderbook', 'gap');
    fc.assert(
      fc.property(kinds, fc.uint8Array({ maxLength: 300 }), (kind, bytes) => void refusalOf(kind, bytes)),
      { numRuns: 2_000 },
    );
    fc.assert(
      fc.property(events, fc.nat(), fc.integer({ min: 0, max: 255 }), (event, at, byte) => {
        const bytes = encodeEvent(event);
        bytes[at % bytes.length] = byte;
        refusalOf(event.kind, bytes);
      }),
      { numRuns: 1_000 },
    );
  });

  it('never lets an event through that breaks the rules of its kind, whatever the bytes', () => {
    fc.assert(
      fc.property(ticks, fc.nat(), fc.integer({ min: 0, max: 255 }), (tick, at, byte) => {
        const bytes = encodeEvent(tick);
        bytes[at % bytes.length] = byte;
        if (refusalOf('tick', bytes) !== undefined) return;
        const read = decodeEvent('tick', bytes);
        // What is let through can be written again and read again: nothing about it is out of bounds.
        expect(decodeEvent('tick', encodeEvent(read))).toStrictEqual(read);
      }),
      { numRuns: 1_000 },
    );
  });

  it('refuses text that is no UTF-8 instead of putting another in its place', () => {
    const symbol = Uint8Array.of(0x4b, 0xff, 0xfe);
    expect(refusalOf('tick', wire([1, symbol]))).toBe('VALIDATION_RECORD');
    expect(refusalOf('gap', wire([9, symbol]))).toBe('VALIDATION_RECORD');
  });
});

/** Where top-level fields end: read by hand, as the wire format says. */
function fieldEnds(bytes: Uint8Array): ReadonlySet<number> {
  const ends = new Set([0]);
  for (let at = 0; at < bytes.length; ends.add(at)) {
    const [tag, afterTag] = varint(bytes, at);
    const [value, afterValue] = varint(bytes, afterTag);
    at = (tag & 7n) === 2n ? afterValue + Number(value) : afterValue;
  }
  return ends;
}

function varint(bytes: Uint8Array, at: number): readonly [value: bigint, end: number] {
  let value = 0n;
  for (let shift = 0n; ; shift += 7n) {
    const byte = BigInt(bytes[at] ?? 0);
    at += 1;
    value |= (byte & 127n) << shift;
    if (byte < 128n) return [value, at];
  }
}
