import { asMarketDataError, MarketDataError, parseDecimal, type Decimal } from '@aipx/market-model';
import type { PayloadFields } from '../frame/payload-fields.js';

/** One record of a payload, from its first field on. Fields behind the base layout are never looked at. */
export class RecordFields {
  readonly #fields: PayloadFields;
  readonly #from: number;

  constructor(fields: PayloadFields, from: number) {
    this.#fields = fields;
    this.#from = from;
  }

  text(index: number): string {
    return this.#fields.at(this.#from + index);
  }

  /** Missing values are empty or the literal text `(null)`. */
  optionalText(index: number): string | undefined {
    const text = this.text(index);
    return text === '' || text === NULL ? undefined : text;
  }

  /** @throws {MarketDataError} `VALIDATION_DECIMAL`, naming the field */
  decimal(index: number, name: string): Decimal {
    return decimalOf(this.text(index), name);
  }

  /** @throws {MarketDataError} `VALIDATION_DECIMAL`, naming the field */
  optionalDecimal(index: number, name: string): Decimal | undefined {
    const text = this.optionalText(index);
    return text === undefined ? undefined : decimalOf(text, name);
  }

  /** A number of shares: digits only. @throws {MarketDataError} `VALIDATION_FRAME`, naming the field */
  shares(index: number, name: string): Decimal {
    return sharesOf(this.text(index), name);
  }

  /** @throws {MarketDataError} `VALIDATION_FRAME`, naming the field */
  optionalShares(index: number, name: string): Decimal | undefined {
    const text = this.optionalText(index);
    return text === undefined ? undefined : sharesOf(text, name);
  }
}

const NULL = '(null)';

function sharesOf(text: string, name: string): Decimal {
  const value = decimalOf(text, name);
  if (value.includes('.') || value.startsWith('-')) {
    throw unreadable(name, value, 'a whole number of shares, not below 0');
  }
  return value;
}

function decimalOf(text: string, name: string): Decimal {
  try {
    return parseDecimal(text);
  } catch (cause) {
    const error = asMarketDataError(cause, 'VALIDATION_FRAME');
    throw new MarketDataError(error.code, `${name}: ${error.message}`, { cause });
  }
}

export function unreadable(name: string, value: string, expected: string): MarketDataError {
  const shown = value.length > 60 ? `${value.slice(0, 60)}…` : value;
  return new MarketDataError('VALIDATION_FRAME', `${name} is ${JSON.stringify(shown)}; expected ${expected}`);
}
