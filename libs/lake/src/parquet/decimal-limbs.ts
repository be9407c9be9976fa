import type { Decimal } from '@aipx/market-model';

/** DECIMAL(38,12): the widest decimal Parquet readers share, with the digits that prices and sizes need. */
export const PRECISION = 38;
export const SCALE = 12;
/** 16 bytes hold 38 digits and a sign: four limbs of 32 bits. */
export const DECIMAL_BYTES = 16;
export const DECIMAL_LIMBS = 4;

const WHOLE_DIGITS = PRECISION - SCALE;
const MINUS = 45;
const POINT = 46;
const ZERO = 48;
/** So many digits a double counts exactly. */
const EXACT_DIGITS = 15;
/** A text no longer than this has neither too many digits before the point nor behind it. */
const SURELY_FITS = SCALE + 1;
const LIMB = 2 ** 32;
const MILLION = 1_000_000;
const POWERS = Array.from({ length: SCALE + 1 }, (_, exponent) => 10 ** exponent);

/** Whether the number has no more than 26 digits before the point and 12 behind. */
export function fitsDecimal(value: Decimal): boolean {
  if (value.length <= SURELY_FITS) return true;
  const begin = value.charCodeAt(0) === MINUS ? 1 : 0;
  const point = value.indexOf('.');
  const whole = (point === -1 ? value.length : point) - begin;
  const fraction = point === -1 ? 0 : value.length - point - 1;
  return whole <= WHOLE_DIGITS && fraction <= SCALE;
}

/**
 * Puts the number times 10^12 into `limbs`, exactly: two's complement, the highest limb first. Numbers and a given array,
 * because bytes or a BigInt for each value were half of what a book cost.
 *
 * @returns `false` when it does not fit; what is in `limbs` then means nothing
 */
export function toLimbs(value: Decimal, limbs: Int32Array): boolean {
  if (!fitsDecimal(value)) return false;
  const negative = value.charCodeAt(0) === MINUS;
  const begin = negative ? 1 : 0;
  let whole = 0;
  let at = begin;
  for (; at < value.length; at += 1) {
    const code = value.charCodeAt(at);
    if (code === POINT) break;
    whole = whole * 10 + code - ZERO;
  }
  const wholeDigits = at - begin;
  let fraction = 0;
  let missingDigits = SCALE;
  for (at += 1; at < value.length; at += 1) {
    fraction = fraction * 10 + value.charCodeAt(at) - ZERO;
    missingDigits -= 1;
  }
  fraction *= POWERS[missingDigits] as number;
  if (wholeDigits > EXACT_DIGITS) setLarge(limbs, BigInt(value.slice(begin, begin + wholeDigits)), fraction);
  else setExact(limbs, whole, fraction);
  if (negative) negate(limbs);
  return true;
}

function setLarge(limbs: Int32Array, whole: bigint, fraction: number): void {
  let rest = whole * 10n ** BigInt(SCALE) + BigInt(fraction);
  for (let index = DECIMAL_LIMBS - 1; index >= 0; index -= 1) {
    limbs[index] = Number(BigInt.asIntN(32, rest));
    rest >>= 32n;
  }
}

/**
 * `whole` times 10^12 plus `fraction`, in two steps of 10^6. Each product stays below 2^53, so that doubles are exact; the
 * array keeps the low 32 bits of what it is given.
 */
function setExact(limbs: Int32Array, whole: number, fraction: number): void {
  const upper = Math.floor(whole / LIMB);
  const millionths = Math.floor(fraction / MILLION);
  const lowMillions = (whole - upper * LIMB) * MILLION + millionths;
  const highMillions = upper * MILLION + Math.floor(lowMillions / LIMB);
  const lowest = (lowMillions - Math.floor(lowMillions / LIMB) * LIMB) * MILLION + (fraction - millionths * MILLION);
  const top = Math.floor(highMillions / LIMB);
  const middle = (highMillions - top * LIMB) * MILLION + Math.floor(lowest / LIMB);
  limbs[0] = 0;
  limbs[1] = top * MILLION + Math.floor(middle / LIMB);
  limbs[2] = middle;
  limbs[3] = lowest;
}

/** Two's complement. */
function negate(limbs: Int32Array): void {
  let carry = 1;
  for (let index = DECIMAL_LIMBS - 1; index >= 0; index -= 1) {
    const negated = (~(limbs[index] as number) + carry) | 0;
    limbs[index] = negated;
    if (negated !== 0) carry = 0;
  }
}
