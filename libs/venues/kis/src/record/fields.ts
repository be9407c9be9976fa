import { asMarketDataError, MarketDataError, parseDecimal, type Decimal } from '@aipx/market-model';

/** One record of a payload, from its first field on. Fields behind the base layout are never looked at. */
export class RecordFields {
  readonly #fields: readonly string[];
  readonly #from: number;

  constructor(fields: readonly string[], from: number) {
    this.#fields = fields;
    this.#from = from;
  }

  text(index: number): string {
    return this.#fields[this.#from + index] ?? '';
  }

  /** Missing values are empty or the literal text `(null)`. */
  optionalText(index: number): string | undefined {
    const text = this.text(index);
    return text === '' || text === NULL ? undefined : text;
  }

  /** @throws {MarketDataError} `VALIDATION_DECIMAL`, naming the field */
  decimal(index: number, name: string): Decimal {
    try {
      return parseDecimal(this.text(index));
    } catch (cause) {
      const error = asMarketDataError(cause, 'VALIDATION_FRAME');
      throw new MarketDataError(error.code, `${name}: ${error.message}`, { cause });
    }
  }

  /** @throws {MarketDataError} `VALIDATION_DECIMAL`, naming the field */
  optionalDecimal(index: number, name: string): Decimal | undefined {
    return this.optionalText(index) === undefined ? undefined : this.decimal(index, name);
  }

  /** A number of shares: digits only. @throws {MarketDataError} `VALIDATION_FRAME`, naming the field */
  shares(index: number, name: string): Decimal {
    const value = this.decimal(index, name);
    if (!WHOLE.test(value)) throw unreadable(name, value, 'a whole number of shares, not below 0');
    return value;
  }

  /** @throws {MarketDataError} `VALIDATION_FRAME`, naming the field */
  optionalShares(index: number, name: string): Decimal | undefined {
    return this.optionalText(index) === undefined ? undefined : this.shares(index, name);
  }
}

const NULL = '(null)';
const WHOLE = /^\d+$/;

export function unreadable(name: string, value: string, expected: string): MarketDataError {
  const shown = value.length > 60 ? `${value.slice(0, 60)}…` : value;
  return new MarketDataError('VALIDATION_FRAME', `${name} is ${JSON.stringify(shown)}; expected ${expected}`);
}
