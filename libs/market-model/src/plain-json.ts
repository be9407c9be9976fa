import { digitsEndInBytes, MAX_DIGITS, parseDecimal, type Decimal } from './decimal.js';
import { JsonKeys } from './json-keys.js';

const TAB = 0x09;
const LINE_FEED = 0x0a;
const RETURN = 0x0d;
const SPACE = 0x20;
const QUOTE = 0x22;
const PLUS = 0x2b;
const COMMA = 0x2c;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const UPPER_E = 0x45;
const OPENING_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSING_BRACKET = 0x5d;
const LOWER_E = 0x65;
const LOWER_F = 0x66;
const LOWER_N = 0x6e;
const LOWER_T = 0x74;
const OPENING_BRACE = 0x7b;
const CLOSING_BRACE = 0x7d;

/** Deeper than any venue nests. */
const MAX_DEPTH = 16;
const NO_BYTES = new Uint8Array();

/**
 * A place in a JSON document, from which its values are read in order. Where something else stands than what is asked
 * for, the cursor gives up: every loop over it then ends, and the document is read again without it.
 *
 * ```ts
 * for (let more = json.hasFirst(); more; more = json.hasNext()) {
 *   for (let key = json.firstKey(); key !== undefined; key = json.nextKey()) {
 *     if (key === 'price') price = json.decimal();
 *     else json.skip();
 *   }
 * }
 * ```
 */
export interface JsonCursor {
  /** Enters a list. Whether it has an item; the cursor then stands before it. */
  hasFirst(): boolean;
  /** Behind an item: whether there is another. */
  hasNext(): boolean;
  /** Enters an object. Its first key, with the cursor before the value; absent when it has none. */
  firstKey(): string | undefined;
  /** Behind a value: the key of the next one. */
  nextKey(): string | undefined;
  /** A number in its canonical spelling. */
  decimal(): Decimal | undefined;
  skip(): void;
}

/**
 * Reads a list in a way of its own, for speed: `undefined` gives up. It must come to what its reader would make of the
 * plain items, for it gets no list from a document with anything but ASCII in it, and parses nothing meanwhile.
 */
export type JsonListReader = (json: JsonCursor) => unknown;
/** By the key whose list they read. */
export type JsonListReaders = ReadonlyMap<string, JsonListReader>;

/**
 * Reads the JSON that venues send nearly always: valid, without escapes, nested a little. Numbers become the text they are
 * printed as. Anything else it gives up without a verdict, for `JSON.parse` to judge.
 *
 * It takes two thirds of the time of quoting the numbers for `JSON.parse`: keys are recognised, and text is cut out of the
 * document instead of copied (a text of 13 characters or more that is kept keeps the document's text).
 */
export class PlainJsonReader implements JsonCursor {
  #bytes: Uint8Array = NO_BYTES;
  #text = '';
  #lists: JsonListReaders = new Map();
  #at = 0;
  #depth = 0;
  #gaveUp = false;
  readonly #keys = new JsonKeys();

  /**
   * The value of the whole document; `undefined` when it was given up.
   *
   * @param bytes ASCII
   * @param text the same, one character a byte
   */
  read(bytes: Uint8Array, text: string, lists: JsonListReaders): unknown {
    this.#bytes = bytes;
    this.#text = text;
    this.#lists = lists;
    this.#at = 0;
    this.#depth = 0;
    this.#gaveUp = false;
    const value = this.#value();
    const isWhole = this.#nextByte() === 0 && this.#at === bytes.length;
    this.#bytes = NO_BYTES;
    this.#text = '';
    return isWhole && !this.#gaveUp ? value : undefined;
  }

  hasFirst(): boolean {
    if (this.#nextByte() !== OPENING_BRACKET) return this.#giveUp(false);
    this.#at += 1;
    if (this.#nextByte() !== CLOSING_BRACKET) return true;
    this.#at += 1;
    return false;
  }

  hasNext(): boolean {
    const byte = this.#nextByte();
    this.#at += 1;
    if (byte === COMMA) return true;
    return byte === CLOSING_BRACKET ? false : this.#giveUp(false);
  }

  firstKey(): string | undefined {
    if (this.#nextByte() !== OPENING_BRACE) return this.#giveUp(undefined);
    this.#at += 1;
    if (this.#nextByte() !== CLOSING_BRACE) return this.#key();
    this.#at += 1;
    return undefined;
  }

  nextKey(): string | undefined {
    const byte = this.#nextByte();
    this.#at += 1;
    if (byte === COMMA) return this.#key();
    return byte === CLOSING_BRACE ? undefined : this.#giveUp(undefined);
  }

  decimal(): Decimal | undefined {
    const first = this.#nextByte();
    if (first !== MINUS && !isDigit(first)) return this.#giveUp(undefined);
    const start = this.#at;
    const plainEnd = this.#passNumber();
    if (plainEnd > start) return this.#text.slice(start, plainEnd) as Decimal;
    try {
      return parseDecimal(this.#text.slice(start, this.#at));
    } catch {
      return this.#giveUp(undefined);
    }
  }

  skip(): void {
    this.#value();
  }

  #value(): unknown {
    return this.#valueFrom(this.#nextByte());
  }

  #valueFrom(first: number): unknown {
    if (first === QUOTE) return this.#string();
    if (isDigit(first) || first === MINUS) return this.#number();
    if (first === OPENING_BRACE) return this.#object();
    if (first === OPENING_BRACKET) return this.#list();
    return this.#word(first);
  }

  #object(): unknown {
    if (this.#depth === MAX_DEPTH) return this.#giveUp(undefined);
    this.#depth += 1;
    const object: Record<string, unknown> = {};
    for (let key = this.firstKey(); key !== undefined; key = this.nextKey()) {
      const first = this.#nextByte();
      object[key] = first === OPENING_BRACKET ? this.#listOf(key) : this.#valueFrom(first);
    }
    this.#depth -= 1;
    return object;
  }

  #listOf(key: string): unknown {
    const read = this.#lists.get(key);
    if (read === undefined) return this.#list();
    const start = this.#at;
    const list = read(this);
    if (list !== undefined && !this.#gaveUp) return list;
    this.#at = start;
    this.#gaveUp = false;
    return this.#list();
  }

  #list(): unknown {
    if (this.#depth === MAX_DEPTH) return this.#giveUp(undefined);
    this.#depth += 1;
    const list: unknown[] = [];
    for (let more = this.hasFirst(); more; more = this.hasNext()) list.push(this.#value());
    this.#depth -= 1;
    return list;
  }

  #word(first: number): unknown {
    if (first === LOWER_N) return this.#wordAs('null', null);
    if (first === LOWER_T) return this.#wordAs('true', true);
    if (first === LOWER_F) return this.#wordAs('false', false);
    return this.#giveUp(undefined);
  }

  #wordAs(word: string, value: unknown): unknown {
    if (!this.#text.startsWith(word, this.#at)) return this.#giveUp(undefined);
    this.#at += word.length;
    return value;
  }

  #string(): string {
    const start = this.#at + 1;
    const end = this.#stringEnd(start);
    this.#at = end + 1;
    return this.#text.slice(start, end);
  }

  /** A key and the colon behind it. */
  #key(): string | undefined {
    if (this.#nextByte() !== QUOTE) return this.#giveUp(undefined);
    const start = this.#at + 1;
    const key = this.#keys.expected(this.#bytes, start) ?? this.#unexpectedKey(start);
    if (key === undefined) return undefined;
    this.#at = start + key.length + 1;
    if (this.#nextByte() !== COLON) return this.#giveUp(undefined);
    this.#at += 1;
    return key;
  }

  #unexpectedKey(start: number): string | undefined {
    const end = this.#stringEnd(start);
    const known = this.#keys.known(this.#bytes, start, end);
    if (known !== undefined) return known;
    const key = this.#text.slice(start, end);
    // To assign to this one would set a prototype, not a property.
    if (key === '__proto__' || this.#gaveUp) return this.#giveUp(undefined);
    this.#keys.keep(key, this.#bytes, start);
    return key;
  }

  /** Index of the quote that closes the string. */
  #stringEnd(start: number): number {
    const bytes = this.#bytes;
    for (let at = start; at < bytes.length; at += 1) {
      const byte = bytes[at] as number;
      if (byte === QUOTE) return at;
      if (byte === BACKSLASH || byte < SPACE) break;
    }
    return this.#giveUp(bytes.length);
  }

  #number(): string {
    const start = this.#at;
    this.#passNumber();
    return this.#text.slice(start, this.#at);
  }

  /**
   * Index where the canonical spelling of the number ends, that is without the zeros that end its fraction; 0 when the
   * number is spelled in another way.
   */
  #passNumber(): number {
    const bytes = this.#bytes;
    const start = this.#at;
    const whole = bytes[start] === MINUS ? start + 1 : start;
    let end = byteAt(bytes, whole) === ZERO ? whole + 1 : digitsEndInBytes(bytes, whole, bytes.length);
    if (end === whole) return this.#giveUp(0);
    let plainEnd = end;
    if (byteAt(bytes, end) === POINT) {
      const point = end;
      end = digitsEndInBytes(bytes, point + 1, bytes.length);
      if (end === point + 1) return this.#giveUp(0);
      plainEnd = end;
      while (bytes[plainEnd - 1] === ZERO) plainEnd -= 1;
      if (plainEnd === point + 1) plainEnd = point;
    }
    this.#at = end;
    const next = byteAt(bytes, end);
    if (next === LOWER_E || next === UPPER_E) return this.#passExponent();
    const isMinusZero = whole > start && plainEnd === whole + 1 && bytes[whole] === ZERO;
    return isMinusZero || plainEnd - start > MAX_DIGITS ? 0 : plainEnd;
  }

  #passExponent(): number {
    const sign = byteAt(this.#bytes, this.#at + 1);
    const digits = sign === PLUS || sign === MINUS ? this.#at + 2 : this.#at + 1;
    this.#at = digitsEndInBytes(this.#bytes, digits, this.#bytes.length);
    return this.#at === digits ? this.#giveUp(0) : 0;
  }

  /** The byte that comes next, whitespace passed over; 0 at the end. */
  #nextByte(): number {
    let byte = byteAt(this.#bytes, this.#at);
    while (byte === SPACE || byte === LINE_FEED || byte === RETURN || byte === TAB) {
      this.#at += 1;
      byte = byteAt(this.#bytes, this.#at);
    }
    return byte;
  }

  /** Goes to the end, where nothing is found that anybody looks for. */
  #giveUp<Result>(result: Result): Result {
    this.#gaveUp = true;
    this.#at = this.#bytes.length;
    return result;
  }
}

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= NINE;
}

/** The byte, or 0 behind the end: reading there would give `undefined`, and a slower loop. */
function byteAt(bytes: Uint8Array, at: number): number {
  return at < bytes.length ? (bytes[at] as number) : 0;
}
