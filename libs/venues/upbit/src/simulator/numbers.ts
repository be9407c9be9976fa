/**
 * The spellings of numbers seen on the wire. Each takes a whole number of 10^-decimals, below 2^53 and not negative,
 * and is exact: whole numbers are divided, and nothing is ever a fraction.
 */

const POWERS: readonly number[] = Array.from({ length: 17 }, (_, exponent) => 10 ** exponent);
const ZEROS: readonly string[] = Array.from({ length: 17 }, (_, count) => '0'.repeat(count));

/** `0.00077720`, `123.00000000`: all decimals, trailing zeros included. */
export function padded(value: number, decimals: number): string {
  if (decimals === 0) return String(value);
  const unit = power(decimals);
  const whole = Math.floor(value / unit);
  return `${whole}.${fraction(value - whole * unit, decimals)}`;
}

/** `109867000`, `0.0099545`: nothing that could be left out. */
export function shortest(value: number, decimals: number): string {
  const unit = power(decimals);
  const whole = Math.floor(value / unit);
  let rest = value - whole * unit;
  if (rest === 0) return String(whole);
  let digits = decimals;
  for (; rest % 10 === 0; digits -= 1) rest /= 10;
  return `${whole}.${fraction(rest, digits)}`;
}

/** `109847000.0`, `127.5`: always with a decimal point. */
export function withPoint(value: number, decimals: number): string {
  return value % power(decimals) === 0 ? `${shortest(value, decimals)}.0` : shortest(value, decimals);
}

/** `1.16539E8`, `7.9276E-4`, `5.0E-4`: as Java prints a double, with an exponent from 10^7 and below 10^-3. */
export function javaDouble(value: number, decimals: number): string {
  return value === 0 || (isAtLeast(value, -3, decimals) && !isAtLeast(value, 7, decimals))
    ? withPoint(value, decimals)
    : `${significand(value, 1)}E${leadingExponent(value, decimals)}`;
}

/** `6E-8`, `4.00000000`: as Java prints a BigDecimal, with an exponent below 10^-6. */
export function javaBigDecimal(value: number, decimals: number): string {
  return value === 0 || isAtLeast(value, -6, decimals)
    ? padded(value, decimals)
    : `${significand(value, 0)}E${leadingExponent(value, decimals)}`;
}

/** `9.101e-05`, `0.00509799`: as Python prints a float, with an exponent below 10^-4. */
export function pythonFloat(value: number, decimals: number): string {
  return value === 0 || isAtLeast(value, -4, decimals)
    ? withPoint(value, decimals)
    : `${significand(value, 0)}e-${String(-leadingExponent(value, decimals)).padStart(2, '0')}`;
}

function power(exponent: number): number {
  return POWERS[exponent] ?? 10 ** exponent;
}

function fraction(value: number, decimals: number): string {
  const digits = String(value);
  return (ZEROS[decimals - digits.length] ?? '') + digits;
}

/** Whether a value is 10^exponent or more. */
function isAtLeast(value: number, exponent: number, decimals: number): boolean {
  return decimals + exponent < 0 || value >= power(decimals + exponent);
}

/** The power of ten of the first significant digit. */
function leadingExponent(value: number, decimals: number): number {
  return String(value).length - 1 - decimals;
}

/** `1.16539` of 116539000, with at least `decimals` digits behind the point. */
function significand(value: number, decimals: number): string {
  const digits = String(value).replace(/0+$/, '');
  const behind = digits.slice(1).padEnd(decimals, '0');
  return behind === '' ? digits : `${digits.slice(0, 1)}.${behind}`;
}
