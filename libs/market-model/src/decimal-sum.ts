import { parseDecimal, type Decimal } from './decimal.js';

/** The exact sum. @throws {MarketDataError} `VALIDATION_DECIMAL` when it has more digits than a decimal may have */
export function addDecimal(a: Decimal, b: Decimal): Decimal {
  const scale = Math.max(fractionDigits(a), fractionDigits(b));
  const sum = scaled(a, scale) + scaled(b, scale);
  return parseDecimal(`${sum}e-${scale}`);
}

function scaled(value: Decimal, scale: number): bigint {
  return BigInt(value.replace('.', '') + '0'.repeat(scale - fractionDigits(value)));
}

function fractionDigits(value: Decimal): number {
  const point = value.indexOf('.');
  return point === -1 ? 0 : value.length - point - 1;
}
