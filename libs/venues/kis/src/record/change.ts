import { isPositive, isZero, negate, parseDecimal, type Decimal } from '@aipx/market-model';
import { unreadable } from './fields.js';

/** Sign codes: 1 at the upper limit, 2 up, 3 flat, 4 at the lower limit, 5 down. A client maps 0 to flat as well. */
const DIRECTIONS = new Map([
  ['0', 0],
  ['1', 1],
  ['2', 1],
  ['3', 0],
  ['4', -1],
  ['5', -1],
]);

/**
 * A change with the sign that its code says. On the WebSocket the value is signed already; an unsigned one under a code for
 * down, as KIS prints elsewhere, gets its sign. A negative value under a code for up, and any change under flat, contradict
 * themselves: `undefined`, since nobody knows which of the two is wrong.
 *
 * @throws {MarketDataError} `VALIDATION_FRAME` for another code: the fields are not where they should be
 */
export function signedChange(value: Decimal, signCode: string): Decimal | undefined {
  const direction = DIRECTIONS.get(signCode);
  if (direction === undefined) throw unreadable('PRDY_VRSS_SIGN', signCode, '1 to 5');
  if (isZero(value)) return value;
  if (direction === -1) return isPositive(value) ? negate(value) : value;
  return direction === 1 && isPositive(value) ? value : undefined;
}

/** 1.91 (percent) as 0.0191: the same digits with the point two places to the left. */
export function percentToRatio(percent: Decimal): Decimal {
  const sign = percent.startsWith('-') ? '-' : '';
  const [whole = '', fraction = ''] = percent.slice(sign.length).split('.');
  const digits = whole.padStart(3, '0');
  return parseDecimal(`${sign}${digits.slice(0, -2)}.${digits.slice(-2)}${fraction}`);
}
