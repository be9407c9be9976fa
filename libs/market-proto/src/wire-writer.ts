import { Buffer } from 'node:buffer';
import { MarketDataError } from '@aipx/market-model';

const VARINT = 0;
const LENGTH_DELIMITED = 2;

const MIN_INT64 = -(2n ** 63n);
const MAX_INT64 = 2n ** 63n - 1n;
const MAX_UINT64 = 2n ** 64n - 1n;

const MAX_TAG_BYTES = 5;
const MAX_LENGTH_BYTES = 5;
const MAX_VARINT_BYTES = 10;
const MAX_BYTES_PER_CHARACTER = 3;

/** Up to here a loop is faster than the encoder; the length of such a text is one byte. */
const SHORT_TEXT = 64;

const USUAL_BYTES = 4 * 1024;
/** A buffer that one huge record made larger than this is given up after it. */
const LARGEST_KEPT_BYTES = 64 * 1024;

const encoder = new TextEncoder();
const split = new DataView(new ArrayBuffer(8));

/**
 * Writes one message after the other in the Protobuf wire format, into a buffer that grows and is used again. Values that
 * proto3 leaves out (empty text, 0) are left out. Field numbers go in ascending order, as every other writer has them.
 */
export class WireWriter {
  #bytes = Buffer.allocUnsafeSlow(USUAL_BYTES);
  #at = 0;

  /** Begins a message, whatever became of the one before. */
  begin(): void {
    this.#at = 0;
    if (this.#bytes.length > LARGEST_KEPT_BYTES) this.#bytes = Buffer.allocUnsafeSlow(USUAL_BYTES);
  }

  /** The message, in memory that Node.js hands out piece by piece: to have it for itself costs eight times as much. */
  finish(): Uint8Array<ArrayBuffer> {
    const message = Buffer.allocUnsafe(this.#at);
    this.#bytes.copy(message, 0, 0, this.#at);
    return message;
  }

  text(field: number, value: string): void {
    if (value === '') return;
    this.#reserve(MAX_TAG_BYTES + MAX_LENGTH_BYTES + value.length * MAX_BYTES_PER_CHARACTER);
    this.#tag(field, LENGTH_DELIMITED);
    if (value.length > SHORT_TEXT || !this.#shortAscii(value)) this.#utf8(value);
  }

  enum(field: number, value: number): void {
    if (value === 0) return;
    this.#reserve(MAX_TAG_BYTES + MAX_VARINT_BYTES);
    this.#tag(field, VARINT);
    this.#uint32(value);
  }

  /** @throws {MarketDataError} `VALIDATION_RECORD` for what 64 bits cannot hold */
  int64(field: number, value: bigint): void {
    if (value < MIN_INT64 || value > MAX_INT64) throw outOfRange(field, value, 'int64');
    this.#bigint(field, value);
  }

  /** @throws {MarketDataError} `VALIDATION_RECORD` for what 64 bits cannot hold */
  uint64(field: number, value: bigint): void {
    if (value < 0n || value > MAX_UINT64) throw outOfRange(field, value, 'uint64');
    this.#bigint(field, value);
  }

  /** Begins a message within the message; returns what `endNested` needs. */
  beginNested(field: number): number {
    this.#reserve(MAX_TAG_BYTES + 1);
    this.#tag(field, LENGTH_DELIMITED);
    const start = this.#at;
    this.#at += 1; // nearly every length fits in one byte; `endNested` makes room for others
    return start;
  }

  endNested(start: number): void {
    const length = this.#at - start - 1;
    if (length > 0x7f) {
      const lengthBytes = varintBytes(length);
      this.#reserve(lengthBytes);
      this.#bytes.copyWithin(start + lengthBytes, start + 1, this.#at);
    }
    this.#at = start;
    this.#uint32(length);
    this.#at += length;
  }

  #bigint(field: number, value: bigint): void {
    if (value === 0n) return;
    this.#reserve(MAX_TAG_BYTES + MAX_VARINT_BYTES);
    this.#tag(field, VARINT);
    split.setBigInt64(0, value, true);
    let low = split.getUint32(0, true);
    let high = split.getUint32(4, true);
    const bytes = this.#bytes;
    let at = this.#at;
    while (high > 0 || low > 0x7f) {
      bytes[at++] = (low & 0x7f) | 0x80;
      low = ((low >>> 7) | (high << 25)) >>> 0;
      high >>>= 7;
    }
    bytes[at++] = low;
    this.#at = at;
  }

  #tag(field: number, wireType: number): void {
    this.#uint32(((field << 3) | wireType) >>> 0);
  }

  #uint32(value: number): void {
    let rest = value;
    while (rest > 0x7f) {
      this.#bytes[this.#at++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#bytes[this.#at++] = rest;
  }

  /** Writes length and text; nothing, and false, when there is more than ASCII in it. */
  #shortAscii(value: string): boolean {
    const bytes = this.#bytes;
    let at = this.#at;
    bytes[at++] = value.length;
    for (let index = 0; index < value.length; index += 1) {
      const code = value.charCodeAt(index);
      if (code > 0x7f) return false;
      bytes[at++] = code;
    }
    this.#at = at;
    return true;
  }

  /** A lone surrogate becomes U+FFFD. */
  #utf8(value: string): void {
    const text = this.#at + MAX_LENGTH_BYTES;
    const { written } = encoder.encodeInto(value, this.#bytes.subarray(text));
    this.#uint32(written);
    this.#bytes.copyWithin(this.#at, text, text + written);
    this.#at += written;
  }

  #reserve(more: number): void {
    const needed = this.#at + more;
    if (needed > this.#bytes.length) this.#grow(needed);
  }

  #grow(needed: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#bytes.length));
    larger.set(this.#bytes.subarray(0, this.#at));
    this.#bytes = larger;
  }
}

function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest > 0x7f; rest >>>= 7) bytes += 1;
  return bytes;
}

function outOfRange(field: number, value: bigint, type: string): MarketDataError {
  return new MarketDataError('VALIDATION_RECORD', `field ${field} is ${value}, which is no ${type}`);
}
