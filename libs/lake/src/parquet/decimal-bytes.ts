import type { Decimal } from '@aipx/market-model';

/** DECIMAL(38,12): the widest decimal Parquet readers share, with the digits that prices and sizes need. */
export const PRECISION = 38;
export const SCALE = 12;
/** 16 bytes hold 38 digits and a sign. */
export const DECIMAL_BYTES = 16;

const WHOLE_DIGITS = PRECISION - SCALE;
const MINUS = 45;
/** So many digits a double counts exactly. */
const EXACT_DIGITS = 15;
const LIMB = 2 ** 32;
const MILLION = 1_000_000;

/** Written to and copied: a view on each new array of 16 bytes would move it off the heap, which costs more than all else. */
const SCRATCH = new Uint8Array(DECIMAL_BYTES);
const SCRATCH_VIEW = new DataView(SCRATCH.buffer);

/** Values remembered: several hundred books. A power of two. */
const CACHE_SIZE = 2 ** 14;

/**
 * Decimal text as Parquet stores it, see `decimalBytes`. Remembers what it converted last: books repeat most of their
 * levels, and the writer recognises an array it has seen faster than equal bytes. A cache of fixed size with one place
 * a value, because a `Map` of all values of a batch is too large for the processor's caches: it took twice the time.
 */
export class DecimalEncoder {
  readonly #values = new Array<Decimal | undefined>(CACHE_SIZE).fill(undefined);
  readonly #encoded = new Array<Uint8Array | null>(CACHE_SIZE).fill(null);

  encode(value: Decimal): Uint8Array | null {
    const place = placeOf(value);
    if (this.#values[place] === value) return this.#encoded[place] ?? null;
    const bytes = decimalBytes(value);
    this.#values[place] = value;
    this.#encoded[place] = bytes;
    return bytes;
  }
}

function placeOf(value: Decimal): number {
  let hash = 0;
  for (let index = 0; index < value.length; index += 1) hash = Math.imul(hash, 31) + value.charCodeAt(index);
  return (hash ^ (hash >>> 15)) & (CACHE_SIZE - 1);
}

/**
 * The number times 10^12 as a big-endian two's complement integer, exactly, or `null` when it has more than 26 digits
 * before the point or 12 behind.
 */
export function decimalBytes(value: Decimal): Uint8Array | null {
  const negative = value.charCodeAt(0) === MINUS;
  const digits = negative ? value.slice(1) : value;
  const point = digits.indexOf('.');
  const whole = point === -1 ? digits : digits.slice(0, point);
  const fraction = point === -1 ? '' : digits.slice(point + 1);
  if (whole.length > WHOLE_DIGITS || fraction.length > SCALE) return null;
  if (whole.length > EXACT_DIGITS) writeLarge(BigInt(whole + fraction.padEnd(SCALE, '0')));
  else writeExact(Number(whole), Number(fraction.padEnd(SCALE, '0')));
  if (negative) negate();
  return SCRATCH.slice();
}

function writeLarge(magnitude: bigint): void {
  SCRATCH_VIEW.setBigUint64(0, magnitude >> 64n);
  SCRATCH_VIEW.setBigUint64(8, BigInt.asUintN(64, magnitude));
}

/**
 * Writes `whole` times 10^12 plus `fraction` in 32-bit limbs, in half the time that BigInt takes. Each product stays below
 * 2^53, so that doubles are exact.
 */
function writeExact(whole: number, fraction: number): void {
  let middle = Math.floor(whole / LIMB);
  let low = whole - middle * LIMB;
  let high = 0;
  for (let time = 0; time < 2; time += 1) {
    const [lows, middles] = [low * MILLION, middle * MILLION];
    const carried = middles + Math.floor(lows / LIMB);
    low = lows - Math.floor(lows / LIMB) * LIMB;
    high = high * MILLION + Math.floor(carried / LIMB);
    middle = carried - Math.floor(carried / LIMB) * LIMB;
  }
  low += fraction; // may have outgrown its limb
  const carried = middle + Math.floor(low / LIMB);
  SCRATCH_VIEW.setUint32(0, 0);
  SCRATCH_VIEW.setUint32(4, high + Math.floor(carried / LIMB));
  SCRATCH_VIEW.setUint32(8, carried % LIMB);
  SCRATCH_VIEW.setUint32(12, low % LIMB);
}

/** Two's complement. */
function negate(): void {
  let carry = 1;
  for (let index = DECIMAL_BYTES - 1; index >= 0; index -= 1) {
    const sum = (~(SCRATCH[index] ?? 0) & 0xff) + carry;
    SCRATCH[index] = sum;
    carry = sum >> 8;
  }
}
