const QUOTE = 0x22;
/** No ASCII: equal to no byte of a key. */
const NOTHING = 0xff;

const SLOTS = 512;
/** Slots that a key may have, one after the other. */
const TRIES = 4;
const LONGEST_KEY = 31;
/** A key's bytes and the quote behind them. */
const SLOT_BYTES = LONGEST_KEY + 1;

/**
 * The keys of JSON objects, each of them one string from its second appearance on. A venue sends the same keys in the same
 * order again and again, so the next one is nearly always known before it is read. Some hundred short keys are kept.
 */
export class JsonKeys {
  readonly #spellings = new Uint8Array((SLOTS + TRIES) * SLOT_BYTES).fill(NOTHING);
  readonly #keys: string[] = Array.from({ length: SLOTS + TRIES }, () => '');
  /** By slot: the slot of the key that was read after it the last time. */
  readonly #next = new Uint16Array(SLOTS + TRIES);
  #last = 0;

  /** The key that begins at `start` of an ASCII document, if it is the one that followed the last time. */
  expected(document: Uint8Array, start: number): string | undefined {
    const slot = this.#next[this.#last] as number;
    return this.#isAt(document, start, slot) ? this.#found(slot) : undefined;
  }

  /** The key from `start` to the quote at `end`, if it is kept. */
  known(document: Uint8Array, start: number, end: number): string | undefined {
    const first = firstSlot(document, start, end);
    for (let slot = first; slot < first + TRIES; slot += 1) {
      if (this.#isAt(document, start, slot)) {
        this.#next[this.#last] = slot;
        return this.#found(slot);
      }
    }
    return undefined;
  }

  /** Keeps a key that stands at `start`, possibly in the place of another. */
  keep(key: string, document: Uint8Array, start: number): void {
    if (key.length > LONGEST_KEY) return;
    const end = start + key.length;
    const first = firstSlot(document, start, end);
    let slot = first;
    while (this.#keys[slot] !== '' && slot < first + TRIES - 1) slot += 1;
    this.#spellings.set(document.subarray(start, end + 1), slot * SLOT_BYTES);
    // The name of a property is the one string of its spelling, which is compared by its address.
    this.#keys[slot] = Object.keys({ [key]: 0 })[0] ?? key;
  }

  #found(slot: number): string {
    this.#last = slot;
    return this.#keys[slot] as string;
  }

  #isAt(document: Uint8Array, start: number, slot: number): boolean {
    let at = start;
    let index = slot * SLOT_BYTES;
    while (at < document.length && this.#spellings[index] === document[at]) {
      if (document[at] === QUOTE) return true;
      at += 1;
      index += 1;
    }
    return false;
  }
}

function firstSlot(document: Uint8Array, start: number, end: number): number {
  let hash = 0;
  for (let at = start; at < end; at += 1) hash = Math.imul(hash, 31) + (document[at] as number);
  return hash & (SLOTS - 1);
}
