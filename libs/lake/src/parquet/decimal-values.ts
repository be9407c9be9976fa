import type { Decimal } from '@aipx/market-model';
import { DECIMAL_BYTES, DECIMAL_LIMBS, toLimbs } from './decimal-limbs.js';
import { dictionaryEncoded, dictionaryPays, type EncodedValues } from './encoded-values.js';
import { FIRST_ROOM, grown } from './growing.js';

const LIMBS = new Int32Array(DECIMAL_LIMBS);

/**
 * Decimals of a row group: each different one once, found again by its digits, and for each row its place. Books repeat
 * most of their levels. All in a few large arrays: an object a value is what the garbage collector would work on.
 */
export class DecimalValues {
  /** Four of each different value. */
  #limbs = new Int32Array(FIRST_ROOM * DECIMAL_LIMBS);
  /** Where a value stands, by its hash: its place plus one, or 0. At most half of them are taken. A power of two. */
  #slots = new Int32Array(FIRST_ROOM * 2);
  #different = 0;
  #places = new Int32Array(FIRST_ROOM);
  #count = 0;

  /** `false` when the value does not fit; nothing is appended then. */
  append(value: Decimal): boolean {
    if (!toLimbs(value, LIMBS)) return false;
    if (this.#count === this.#places.length) this.#places = grown(this.#places);
    this.#places[this.#count] = this.#placeOf(LIMBS);
    this.#count += 1;
    return true;
  }

  encoded(): EncodedValues {
    const [count, different] = [this.#count, this.#different];
    if (dictionaryPays(count, count * DECIMAL_BYTES, different, different * DECIMAL_BYTES)) {
      const bytes = new Uint8Array(different * DECIMAL_BYTES);
      this.#write(bytes, different, (index) => index);
      return dictionaryEncoded(this.#places, different, bytes);
    }
    return {
      encoding: 'PLAIN',
      bytesOf: () => DECIMAL_BYTES,
      writeTo: (page, begin, end) => {
        const bytes = new Uint8Array((end - begin) * DECIMAL_BYTES);
        this.#write(bytes, end - begin, (index) => this.#places[begin + index] as number);
        page.appendBytes(bytes);
      },
    };
  }

  clear(): void {
    this.#slots.fill(0);
    this.#different = 0;
    this.#count = 0;
  }

  #placeOf(limbs: Int32Array): number {
    const slot = this.#slotOf(limbs, 0);
    const known = this.#slots[slot] as number;
    return known > 0 ? known - 1 : this.#add(limbs, slot);
  }

  #add(limbs: Int32Array, slot: number): number {
    const place = this.#different;
    if ((place + 1) * DECIMAL_LIMBS > this.#limbs.length) this.#limbs = grown(this.#limbs);
    this.#limbs.set(limbs, place * DECIMAL_LIMBS);
    this.#slots[slot] = place + 1;
    this.#different += 1;
    if (2 * this.#different > this.#slots.length) this.#spread();
    return place;
  }

  /** Where the value at `at` in `limbs` stands, or the empty slot where it belongs. */
  #slotOf(limbs: Int32Array, at: number): number {
    const known = this.#limbs;
    const slots = this.#slots;
    const a = limbs[at] as number;
    const b = limbs[at + 1] as number;
    const c = limbs[at + 2] as number;
    const d = limbs[at + 3] as number;
    const last = slots.length - 1;
    for (let slot = hash(a, b, c, d) & last; ; slot = (slot + 1) & last) {
      const begin = ((slots[slot] as number) - 1) * DECIMAL_LIMBS;
      if (begin < 0) return slot;
      const same = known[begin + 3] === d && known[begin + 2] === c && known[begin + 1] === b && known[begin] === a;
      if (same) return slot;
    }
  }

  #spread(): void {
    this.#slots = new Int32Array(2 * this.#slots.length);
    for (let place = 0; place < this.#different; place += 1) {
      this.#slots[this.#slotOf(this.#limbs, place * DECIMAL_LIMBS)] = place + 1;
    }
  }

  /** As Parquet has them: highest byte first. */
  #write(bytes: Uint8Array<ArrayBuffer>, count: number, placeAt: (index: number) => number): void {
    const view = new DataView(bytes.buffer);
    for (let index = 0; index < count; index += 1) {
      const from = placeAt(index) * DECIMAL_LIMBS;
      const to = index * DECIMAL_BYTES;
      for (let limb = 0; limb < DECIMAL_LIMBS; limb += 1) {
        view.setInt32(to + 4 * limb, this.#limbs[from + limb] as number);
      }
    }
  }
}

function hash(a: number, b: number, c: number, d: number): number {
  const mixed = Math.imul(
    d ^ Math.imul(c ^ Math.imul(b ^ Math.imul(a, 0x9e3779b1), 0x85ebca6b), 0xc2b2ae35),
    0x27d4eb2f,
  );
  return mixed ^ (mixed >>> 15);
}
