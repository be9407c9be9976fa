import fc from 'fast-check';

/** Bytes that are a message, or nearly: everything the wire format allows, and what it does not. */

const VARINT = 0;
const FIXED_64 = 1;
const LENGTH_DELIMITED = 2;
const GROUP_START = 3;
const GROUP_END = 4;
const FIXED_32 = 5;

const bytesOf = (text: string): readonly number[] => [...new TextEncoder().encode(text)];

/** Little endian in groups of seven bits; `length` above the shortest makes it overlong. */
export function varint(value: bigint, length = 1): readonly number[] {
  const bytes: number[] = [];
  for (let rest = value; rest > 0n || bytes.length < length; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  if (bytes.length === 0) bytes.push(128);
  return bytes.map((byte, index) => (index === bytes.length - 1 ? byte & 127 : byte));
}

const values = fc.oneof(
  fc.bigInt({ min: 0n, max: 9n }),
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  fc.constantFrom(2n ** 31n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 32n + 1n, 2n ** 63n, 2n ** 64n - 1n, 2n ** 70n),
);
const varints = fc
  .tuple(values, fc.oneof({ weight: 4, arbitrary: fc.constant(1) }, fc.integer({ min: 2, max: 13 })))
  .map(([value, length]) => varint(value, length));

/** A tag; rarely one that is overlong, or of a field number or wire type that does not exist. */
function tags(numbers: fc.Arbitrary<number>, wireTypes: fc.Arbitrary<number>) {
  const overlong = fc.oneof({ weight: 20, arbitrary: fc.constant(1) }, fc.integer({ min: 2, max: 6 }));
  return fc
    .tuple(numbers, wireTypes, overlong)
    .map(([number, wireType, length]) => varint((BigInt(number) << 3n) | BigInt(wireType), length));
}

const decimals = fc.constantFrom(
  '1',
  '0.5',
  '116539000',
  '99',
  '-0.01',
  '0',
  '-0',
  '1.0',
  '01',
  '1e5',
  '',
  '9'.repeat(129),
);
const texts = fc.oneof(
  decimals.map(bytesOf),
  fc.string({ unit: 'binary', maxLength: 200 }).map(bytesOf),
  fc.string({ unit: 'grapheme', maxLength: 12 }).map(bytesOf),
  fc.uint8Array({ maxLength: 40 }).map((bytes) => [...bytes]),
  fc.constantFrom([0xef, 0xbb, 0xbf, 0x41], [0xed, 0xa0, 0x80], [0xc0, 0x80], [0xf4, 0x90, 0x80, 0x80]),
);

/** Rarely another length than what follows has, up to the absurd. */
const lengthDelimited = (contents: fc.Arbitrary<readonly number[]>) =>
  fc
    .tuple(contents, fc.oneof({ weight: 20, arbitrary: fc.constant(0n) }, fc.bigInt({ min: -3n, max: 3n }), values))
    .map(([content, off]) => [...varint(max(0n, BigInt(content.length) + off)), ...content]);

const max = (a: bigint, b: bigint) => (a > b ? a : b);

function field(number: fc.Arbitrary<number>, wireType: number, contents: fc.Arbitrary<readonly number[]>) {
  const wireTypes = fc.oneof({ weight: 12, arbitrary: fc.constant(wireType) }, fc.integer({ min: 0, max: 7 }));
  return fc.tuple(tags(number, wireTypes), contents).map((parts) => parts.flat());
}

const known = fc.integer({ min: 1, max: 11 });
const unknown = fc.constantFrom(0, 8, 12, 15, 16, 100, 2_000, 536_870_911);
const numbers = fc.oneof({ weight: 5, arbitrary: known }, unknown);
const fixed = (length: number) => fc.uint8Array({ minLength: length, maxLength: length }).map((bytes) => [...bytes]);

const levels: fc.Arbitrary<readonly number[]> = fc
  .array(field(fc.constantFrom(1, 2, 1, 2, 3), LENGTH_DELIMITED, lengthDelimited(decimals.map(bytesOf))), {
    maxLength: 4,
  })
  .map((parts) => parts.flat());

const { fields } = fc.letrec<{ fields: readonly number[]; group: readonly number[] }>((tie) => ({
  fields: fc
    .array(
      fc.oneof(
        { depthSize: 'small', maxDepth: 3 },
        field(numbers, LENGTH_DELIMITED, lengthDelimited(texts)),
        field(numbers, VARINT, varints),
        field(unknown, FIXED_64, fixed(8)),
        field(unknown, FIXED_32, fixed(4)),
        field(fc.constantFrom(2, 3), LENGTH_DELIMITED, lengthDelimited(levels)),
        field(numbers, LENGTH_DELIMITED, lengthDelimited(tie('fields'))),
        tie('group'),
      ),
      { maxLength: 6 },
    )
    .map((parts) => parts.flat()),
  group: fc
    .tuple(unknown, unknown, fc.boolean(), tie('fields'))
    .map(([number, other, isClosed, content]) => [
      ...varint((BigInt(number) << 3n) | BigInt(GROUP_START)),
      ...content,
      ...varint((BigInt(isClosed ? number : other) << 3n) | BigInt(GROUP_END)),
    ]),
}));

/** Fields of any kind, one after the other, as they may stand before, behind or in the middle of a message. */
export const wireFields: fc.Arbitrary<Uint8Array> = fields.map((bytes) => Uint8Array.from(bytes));

/** `count` groups within each other, of a field that no message has. */
export function nestedGroups(count: number): Uint8Array {
  const start = varint((100n << 3n) | BigInt(GROUP_START));
  const end = varint((100n << 3n) | BigInt(GROUP_END));
  return Uint8Array.from([
    ...Array.from({ length: count }, () => start).flat(),
    ...Array.from({ length: count }, () => end).flat(),
  ]);
}
