import { MarketDataError } from '@aipx/market-model';
import { deltaBinaryPack } from 'hyparquet-writer/src/delta.js';
import type { EncodedValues } from './encoded-values.js';
import { FIRST_ROOM, grown } from './growing.js';

const BYTES = 8;
const SIGNED = { min: -(2n ** 63n), max: 2n ** 63n - 1n };
const UNSIGNED = { min: 0n, max: 2n ** 64n - 1n };

/** Whole numbers of a row group, stored as the differences between neighbours. Unsigned ones wrap, as readers expect. */
export class Int64Values {
  readonly #column: string;
  readonly #signed: boolean;
  #values = new BigInt64Array(FIRST_ROOM);
  #count = 0;
  #min = 0n;
  #max = 0n;

  /** @param options.column its name, for the message */
  constructor({ column, signed }: { readonly column: string; readonly signed: boolean }) {
    this.#column = column;
    this.#signed = signed;
  }

  append(value: bigint): void {
    if (this.#count === this.#values.length) this.#values = grown(this.#values);
    if (this.#count === 0 || value < this.#min) this.#min = value;
    if (this.#count === 0 || value > this.#max) this.#max = value;
    this.#values[this.#count] = value;
    this.#count += 1;
  }

  /** @throws {MarketDataError} `STORE_REFUSED` for a number that its column cannot hold */
  encoded(): EncodedValues {
    this.#expectInRange();
    const values = this.#values;
    return {
      encoding: 'DELTA_BINARY_PACKED',
      // None for unsigned numbers: bounds are compared, and written, as if they were signed.
      ...(this.#signed && { bounds: this.#count > 0 ? { min: this.#min, max: this.#max } : {} }),
      bytesOf: () => BYTES,
      writeTo: (page, begin, end) => deltaBinaryPack(page, values.subarray(begin, end), 'INT64'),
    };
  }

  clear(): void {
    this.#count = 0;
  }

  /** Once for all of them: what does not fit has become another number without an error when it was appended. */
  #expectInRange(): void {
    if (this.#count === 0) return;
    const { min, max } = this.#signed ? SIGNED : UNSIGNED;
    if (this.#min >= min && this.#max <= max) return;
    const value = this.#min < min ? this.#min : this.#max;
    throw new MarketDataError('STORE_REFUSED', `${this.#column} is ${value}; its column holds ${min} to ${max}`);
  }
}
