import fc from 'fast-check';

/** Values that a venue may suddenly print where another one stood. */
const SURPRISES = [
  'null',
  '""',
  '0',
  '-1',
  '1e400',
  '1E-300',
  '[]',
  '{}',
  'true',
  '"NaN"',
  '9'.repeat(200),
  '"\\ud800"',
];
const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g;

type Damage = (frame: Uint8Array, other: Uint8Array) => Uint8Array;

/** One of the frames after one to three accidents: cut, flipped, lengthened, spliced, or with another value in it. */
export function damagedFrame(frames: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  const frame = fc.constantFrom(...frames);
  return fc
    .tuple(frame, frame, fc.array(damage, { minLength: 1, maxLength: 3 }))
    .map(([first, other, damages]) => damages.reduce((bytes, apply) => apply(bytes, other), first));
}

const damage: fc.Arbitrary<Damage> = fc.oneof(
  fc.nat().map(
    (cut): Damage =>
      (frame) =>
        frame.slice(0, cut % (frame.length + 1)),
  ),
  fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })).map(([at, mask]): Damage => (frame) => {
    return frame.map((byte, index) => (index === at % frame.length ? byte ^ mask : byte));
  }),
  fc.tuple(fc.nat(), fc.uint8Array({ minLength: 1, maxLength: 8 })).map(([at, bytes]): Damage => (frame) => {
    const split = at % (frame.length + 1);
    return join(frame.subarray(0, split), bytes, frame.subarray(split));
  }),
  fc.tuple(fc.nat(), fc.nat()).map(([at, from]): Damage => (frame, other) => {
    return join(frame.subarray(0, at % (frame.length + 1)), other.subarray(from % (other.length + 1)));
  }),
  fc.tuple(fc.nat(), fc.constantFrom(...SURPRISES)).map(([at, surprise]): Damage => (frame) => {
    return replaceToken(frame, at, surprise);
  }),
);

/** Puts `surprise` in the place of the `at`-th number or string; frames that are no text stay as they are. */
function replaceToken(frame: Uint8Array, at: number, surprise: string): Uint8Array {
  const text = new TextDecoder().decode(frame);
  const tokens = [...text.matchAll(TOKEN)];
  const token = tokens[at % tokens.length];
  if (token === undefined) return frame;
  const changed = text.slice(0, token.index) + surprise + text.slice(token.index + token[0].length);
  return new TextEncoder().encode(changed);
}

function join(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}
