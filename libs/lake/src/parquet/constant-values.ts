import { dictionaryEncoded, type Bound, type EncodedValues } from './encoded-values.js';

/** A value that all rows of the file share. */
export class ConstantValues {
  readonly #bytes: Uint8Array;
  readonly #bound: Bound;
  #count = 0;

  /**
   * @param bytes the value in Parquet's plain form
   * @param bound the value as it stands in statistics
   */
  constructor(bytes: Uint8Array, bound: Bound) {
    this.#bytes = bytes;
    this.#bound = bound;
  }

  append(): void {
    this.#count += 1;
  }

  encoded(): EncodedValues {
    const bounds = { min: this.#bound, max: this.#bound };
    return { ...dictionaryEncoded(new Int32Array(this.#count), 1, this.#bytes), bounds };
  }

  clear(): void {
    this.#count = 0;
  }
}
