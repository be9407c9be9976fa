import { PlainJsonReader, type JsonListReaders } from './plain-json.js';

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
const UPPER_E = 0x45;
const BACKSLASH = 0x5c;
const CLOSING_BRACKET = 0x5d;
const LOWER_E = 0x65;
const CLOSING_BRACE = 0x7d;

/** Frames below a third of this share one buffer; it is never kept larger. */
const SHARED_BYTES = 384 * 1024;
const shared = new Uint8Array(SHARED_BYTES);
const plainReader = new PlainJsonReader();
const NO_LIST_READERS: JsonListReaders = new Map();
const encoder = new TextEncoder();
// A byte order mark is no part of JSON, so it is left in for `JSON.parse` to refuse.
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Parses JSON with every number as the text the venue printed, digit for digit: ids beyond 2^53 and prices survive.
 * Strings and numbers both become strings; which one a field must be is the mapper's decision. Accepts exactly what
 * `JSON.parse` accepts.
 *
 * @param json UTF-8 bytes as a socket delivers them, or text
 * @param lists for the long lists of frequent frames; without them, or where they give up, a list is a list
 * @throws {TypeError} when the bytes are not UTF-8
 * @throws {SyntaxError} as `JSON.parse` does
 */
export function parseJsonKeepingDigits(json: Uint8Array | string, lists = NO_LIST_READERS): unknown {
  const bytes = typeof json === 'string' ? encoder.encode(json) : json;
  const text = decoder.decode(bytes);
  const isAscii = text.length === bytes.length;
  return (isAscii ? plainReader.read(bytes, text, lists) : undefined) ?? parseQuoted(bytes);
}

/** The way for all of JSON, and the only one that refuses anything. */
function parseQuoted(bytes: Uint8Array): unknown {
  // One digit becomes three bytes at most.
  const capacity = 3 * bytes.length;
  const quoted = capacity <= SHARED_BYTES ? shared : new Uint8Array(capacity);
  return JSON.parse(decoder.decode(quoted.subarray(0, quoteNumbers(bytes, quoted))));
}

/**
 * Copies `json` with quotes around each number outside of strings; returns the length written. Bytes, because this runs
 * on every frame and gluing text together costs three times as much; every byte of a longer UTF-8 character is above
 * 127, so none is taken for a quote or a digit.
 */
function quoteNumbers(json: Uint8Array, quoted: Uint8Array): number {
  let written = 0;
  let at = 0;
  while (at < json.length) {
    const byte = json[at] as number;
    if (byte === MINUS || isDigit(byte)) {
      const end = numberEnd(json, at);
      quoted[written++] = QUOTE;
      while (at < end) quoted[written++] = json[at++] as number;
      quoted[written++] = QUOTE;
    } else if (byte === QUOTE) {
      const end = stringEnd(json, at);
      while (at < end) quoted[written++] = json[at++] as number;
    } else {
      quoted[written++] = byte;
      at += 1;
    }
  }
  return written;
}

/** Index behind the closing quote of the string that opens at `open`; the end of the input if it never closes. */
function stringEnd(json: Uint8Array, open: number): number {
  let at = open + 1;
  while (at < json.length) {
    const byte = json[at++];
    if (byte === QUOTE) return at;
    if (byte === BACKSLASH) at += 1;
  }
  return json.length;
}

/** Index behind the number that begins at `start`. Quotes would hide a bad number from `JSON.parse`: refused here. */
function numberEnd(json: Uint8Array, start: number): number {
  const whole = byteAt(json, start) === MINUS ? start + 1 : start;
  let end = byteAt(json, whole) === ZERO ? whole + 1 : someDigitsEnd(json, whole);
  if (byteAt(json, end) === POINT) end = someDigitsEnd(json, end + 1);
  if (isExponentMark(byteAt(json, end))) end = someDigitsEnd(json, isSign(byteAt(json, end + 1)) ? end + 2 : end + 1);
  if (!endsValue(json, end)) throw unexpected(json, end);
  return end;
}

/** Index behind the digits from `start` on; at least one is required. */
function someDigitsEnd(json: Uint8Array, start: number): number {
  let at = start;
  while (at < json.length && isDigit(json[at] as number)) at += 1;
  if (at === start) throw unexpected(json, start);
  return at;
}

/** Whether a value may end at `at`: before a comma, a closing bracket or the end. A colon would make it a key. */
function endsValue(json: Uint8Array, at: number): boolean {
  let next = at;
  while (isWhitespace(byteAt(json, next))) next += 1;
  const byte = byteAt(json, next);
  return byte === COMMA || byte === CLOSING_BRACKET || byte === CLOSING_BRACE || next === json.length;
}

/** The byte, or 0 behind the end: reading there would give `undefined`, and a slower loop. */
function byteAt(json: Uint8Array, at: number): number {
  return at < json.length ? (json[at] as number) : 0;
}

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= NINE;
}

function isSign(byte: number): boolean {
  return byte === MINUS || byte === PLUS;
}

function isExponentMark(byte: number): boolean {
  return byte === LOWER_E || byte === UPPER_E;
}

function isWhitespace(byte: number): boolean {
  return byte === SPACE || byte === LINE_FEED || byte === RETURN || byte === TAB;
}

function unexpected(json: Uint8Array, at: number): SyntaxError {
  const found = at < json.length ? `character ${JSON.stringify(String.fromCharCode(byteAt(json, at)))}` : 'end';
  return new SyntaxError(`Unexpected ${found} after a number in JSON at byte ${at}`);
}
