import type { Encoding } from 'hyparquet';
import type { Writer } from 'hyparquet-writer';
import { writeRleBitPackedHybrid } from 'hyparquet-writer/src/encoding.js';

/** The values of a leaf in one row group, nulls left out, as they go into pages. */
export interface EncodedValues {
  readonly encoding: Encoding;
  /** What the pages point into. */
  readonly dictionary?: { readonly values: number; readonly bytes: Uint8Array };
  /** Absent for values of which no statistics are to be written. */
  readonly bounds?: Bounds;
  /** By which pages are cut; of a dictionary's values what their places count for. */
  readonly bytesOf: (value: number) => number;
  /** Appends the values from `begin` to `end`. */
  readonly writeTo: (page: Writer, begin: number, end: number) => void;
}

/** Lowest and highest value, for readers that skip row groups; neither when there is no value. */
export interface Bounds {
  readonly min?: Bound;
  readonly max?: Bound;
}

export type Bound = bigint | number | Uint8Array;

const PLACE_BYTES = 4;

/** Each value once, in `bytes`, and in the pages its place. */
export function dictionaryEncoded(places: Int32Array, values: number, bytes: Uint8Array): EncodedValues {
  const width = placeWidth(values);
  return {
    encoding: 'RLE_DICTIONARY',
    dictionary: { values, bytes },
    bytesOf: () => PLACE_BYTES,
    writeTo: (page, begin, end) => {
      page.appendUint8(width);
      writeRleBitPackedHybrid(page, places.subarray(begin, end), width);
    },
  };
}

/** Whether a dictionary halves what the values take, so that reading through it is worth the while. */
export function dictionaryPays(count: number, plainBytes: number, values: number, dictionaryBytes: number): boolean {
  return values > 0 && 2 * (dictionaryBytes + Math.ceil((count * placeWidth(values)) / 8)) <= plainBytes;
}

/** Bits that the highest place takes. */
function placeWidth(values: number): number {
  return values <= 1 ? 0 : 32 - Math.clz32(values - 1);
}
