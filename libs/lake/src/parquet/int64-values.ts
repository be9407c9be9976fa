import { deltaBinaryPack } from 'hyparquet-writer/src/delta.js';
import type { EncodedValues } from './encoded-values.js';
import { FIRST_ROOM, grown } from './growing.js';

const BYTES = 8;

/** Whole numbers of a row group, stored as the differences between neighbours. Unsigned ones wrap, as readers expect. */
export class Int64Values {
  readonly #withBounds: boolean;
  #values = new BigInt64Array(FIRST_ROOM);
  #count = 0;
  #min = 0n;
  #max = 0n;

  /** @param options.withBounds not for unsigned numbers: their bounds are compared, and written, as if they were signed */
  constructor({ withBounds }: { readonly withBounds: boolean }) {
    this.#withBounds = withBounds;
  }

  append(value: bigint): void {
    if (this.#count === this.#values.length) this.#values = grown(this.#values);
    if (this.#count === 0 || value < this.#min) this.#min = value;
    if (this.#count === 0 || value > this.#max) this.#max = value;
    this.#values[this.#count] = value;
    this.#count += 1;
  }

  encoded(): EncodedValues {
    const values = this.#values;
    return {
      encoding: 'DELTA_BINARY_PACKED',
      ...(this.#withBounds && { bounds: this.#count > 0 ? { min: this.#min, max: this.#max } : {} }),
      bytesOf: () => BYTES,
      writeTo: (page, begin, end) => deltaBinaryPack(page, values.subarray(begin, end), 'INT64'),
    };
  }

  clear(): void {
    this.#count = 0;
  }
}
