/** Kafka's variable-length integers are zigzag-coded; those written here are lengths and counts, never negative. */
export function sizeOfVarint(value: number): number {
  let rest = value * 2;
  let size = 1;
  while (rest >= 0x80) {
    rest = Math.floor(rest / 0x80);
    size += 1;
  }
  return size;
}

/** Writes a number from 0 to 2^31 - 1; returns where the next byte goes. */
export function writeVarint(into: Buffer, at: number, value: number): number {
  let rest = (value << 1) >>> 0;
  let next = at;
  while (rest >= 0x80) {
    into[next++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  into[next++] = rest;
  return next;
}

/** Reads forward through bytes. Reading beyond the end throws a `RangeError`. */
export class VarintReader {
  at: number;
  readonly #bytes: Buffer;

  constructor(bytes: Buffer, at = 0) {
    this.#bytes = bytes;
    this.at = at;
  }

  /** A signed number of at most 32 bits. */
  int(): number {
    let coded = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.#byte();
      coded |= (byte & 0x7f) << shift;
      if (byte < 0x80) return (coded >>> 1) ^ -(coded & 1);
    }
    throw new RangeError('a number of more than 5 bytes');
  }

  /** A signed number of at most 64 bits, which most are far below: exact up to 2^53. */
  long(): number {
    let coded = 0;
    let weight = 1;
    for (let bytes = 0; bytes < 10; bytes += 1) {
      const byte = this.#byte();
      coded += (byte & 0x7f) * weight;
      if (byte < 0x80) return coded % 2 === 0 ? coded / 2 : -(coded + 1) / 2;
      weight *= 0x80;
    }
    throw new RangeError('a number of more than 10 bytes');
  }

  /** Bytes with their length before them; `undefined` for Kafka's null. */
  bytes(): Buffer | undefined {
    const length = this.int();
    return length < 0 ? undefined : this.take(length);
  }

  take(length: number): Buffer {
    const end = this.at + length;
    if (end > this.#bytes.length) throw new RangeError(`${length} bytes at ${this.at} of ${this.#bytes.length}`);
    const taken = this.#bytes.subarray(this.at, end);
    this.at = end;
    return taken;
  }

  skip(length: number): void {
    this.at += length;
  }

  #byte(): number {
    const byte = this.#bytes[this.at++];
    if (byte === undefined) throw new RangeError(`nothing at ${this.at - 1} of ${this.#bytes.length} bytes`);
    return byte;
  }
}
