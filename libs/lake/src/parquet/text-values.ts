import { Buffer } from 'node:buffer';
import { BatchTooLarge } from './batch-encoder.js';
import { dictionaryEncoded, dictionaryPays, type Bounds, type EncodedValues } from './encoded-values.js';
import { FIRST_ROOM, grown } from './growing.js';

/** Before each text in Parquet's plain form. */
const LENGTH_BYTES = 4;
/** In UTF-8, of one unit of a JavaScript string. */
const MOST_BYTES_A_UNIT = 3;
/** Half of what a place in `#begins`, or the size of a page, can count. */
const MOST_BYTES = 2 ** 30;

/** Texts of a row group in UTF-8, each different one once unless nearly all of them differ. */
export class TextValues {
  readonly #distinct: boolean;
  /** Each text in plain form: its length, then its bytes. */
  #bytes = Buffer.alloc(FIRST_ROOM);
  /** Where each text of `#bytes` begins; one more for the end. */
  #begins = new Int32Array(FIRST_ROOM);
  #stored = 0;
  readonly #placeOf = new Map<string, number>();
  #places = new Int32Array(FIRST_ROOM);
  #count = 0;
  /** Of all texts in plain form, those that are stored once counted as often as they come. */
  #plainBytes = 0;

  /** @param options.distinct nearly every row has another text: no dictionary is kept */
  constructor({ distinct }: { readonly distinct: boolean }) {
    this.#distinct = distinct;
  }

  /** @throws {BatchTooLarge} for more text than a row group may have */
  append(value: string): void {
    if (this.#count === this.#places.length) this.#places = grown(this.#places);
    const place = this.#distinct ? this.#store(value) : (this.#placeOf.get(value) ?? this.#remember(value));
    this.#places[this.#count] = place;
    this.#count += 1;
    this.#plainBytes += this.#lengthAt(place);
  }

  encoded(): EncodedValues {
    const bounds = this.#bounds();
    const used = this.#begins[this.#stored] as number;
    if (!this.#distinct && dictionaryPays(this.#count, this.#plainBytes, this.#stored, used))
      return { ...dictionaryEncoded(this.#places, this.#stored, this.#bytes.subarray(0, used)), bounds };
    return {
      encoding: 'PLAIN',
      bounds,
      bytesOf: (value) => this.#lengthAt(this.#places[value] as number),
      writeTo: (page, begin, end) => {
        if (this.#distinct)
          page.appendBytes(this.#plain(begin, end)); // they lie there as they came
        else for (const place of this.#places.subarray(begin, end)) page.appendBytes(this.#plain(place, place + 1));
      },
    };
  }

  clear(): void {
    this.#placeOf.clear();
    this.#stored = 0;
    this.#count = 0;
    this.#plainBytes = 0;
  }

  #remember(value: string): number {
    const place = this.#store(value);
    this.#placeOf.set(value, place);
    return place;
  }

  #store(value: string): number {
    const begin = this.#begins[this.#stored] as number;
    const room = begin + LENGTH_BYTES + value.length * MOST_BYTES_A_UNIT;
    if (room > MOST_BYTES) throw tooManyBytes(room);
    if (room > this.#bytes.length) this.#bytes = Buffer.concat([this.#bytes], Math.max(2 * this.#bytes.length, room));
    const length = this.#bytes.write(value, begin + LENGTH_BYTES);
    this.#bytes.writeUInt32LE(length, begin);
    this.#stored += 1;
    if (this.#stored === this.#begins.length) this.#begins = grown(this.#begins);
    this.#begins[this.#stored] = begin + LENGTH_BYTES + length;
    return this.#stored - 1;
  }

  /** The texts from one place to another, in plain form. */
  #plain(begin: number, end: number): Uint8Array {
    return this.#bytes.subarray(this.#begins[begin], this.#begins[end]);
  }

  #lengthAt(place: number): number {
    return (this.#begins[place + 1] as number) - (this.#begins[place] as number);
  }

  /** In the order of their bytes, which is that of their characters. */
  #bounds(): Bounds {
    if (this.#stored === 0) return {};
    let min = 0;
    let max = 0;
    for (let place = 1; place < this.#stored; place += 1) {
      if (this.#compare(place, max) > 0) max = place;
      else if (this.#compare(place, min) < 0) min = place;
    }
    return { min: this.#textAt(min), max: this.#textAt(max) };
  }

  #compare(a: number, b: number): number {
    const begins = this.#begins;
    return this.#bytes.compare(
      this.#bytes,
      (begins[b] as number) + LENGTH_BYTES,
      begins[b + 1],
      (begins[a] as number) + LENGTH_BYTES,
      begins[a + 1],
    );
  }

  /** A copy: the bytes are written over before the file's end, where bounds stand. */
  #textAt(place: number): Uint8Array {
    return Uint8Array.from(
      this.#bytes.subarray((this.#begins[place] as number) + LENGTH_BYTES, this.#begins[place + 1]),
    );
  }
}

function tooManyBytes(bytes: number): BatchTooLarge {
  return new BatchTooLarge(
    'STORE_REFUSED',
    `the texts of a column and row group may take ${bytes} bytes, more than ${MOST_BYTES}; fewer records are needed`,
  );
}
