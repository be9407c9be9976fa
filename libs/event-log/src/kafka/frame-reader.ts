/** No answer is that large; text, TLS and other protocols read as a length are. */
const LARGEST_FRAME = 256 * 1024 * 1024;
const LENGTH_BYTES = 4;

/** Cuts the bytes of a connection into answers: four bytes of length, then so many. */
export class FrameReader {
  #chunks: Buffer[] = [];
  #received = 0;
  #needed = LENGTH_BYTES;

  /**
   * The answers that are complete with this chunk.
   *
   * @throws {RangeError} for a length that no answer has; what the bytes look like is in its message
   */
  *read(chunk: Buffer): Generator<Buffer> {
    this.#chunks.push(chunk);
    this.#received += chunk.length;
    while (this.#received >= this.#needed) {
      const bytes = this.#joined();
      const end = LENGTH_BYTES + frameLength(bytes);
      if (bytes.length < end) {
        this.#needed = end;
        return;
      }
      this.#restart(bytes.subarray(end));
      yield bytes.subarray(LENGTH_BYTES, end);
    }
  }

  #joined(): Buffer {
    const [only] = this.#chunks;
    if (only !== undefined && this.#chunks.length === 1) return only;
    const joined = Buffer.concat(this.#chunks, this.#received);
    this.#chunks = [joined];
    return joined;
  }

  #restart(rest: Buffer): void {
    this.#chunks = [rest];
    this.#received = rest.length;
    this.#needed = LENGTH_BYTES;
  }
}

function frameLength(bytes: Buffer): number {
  const length = bytes.readInt32BE(0);
  if (length >= LENGTH_BYTES && length <= LARGEST_FRAME) return length;
  const [kind, version] = bytes;
  if ((kind === 0x15 || kind === 0x16) && version === 3) {
    throw new RangeError('TLS; this client speaks to a PLAINTEXT listener, which has another port');
  }
  if (bytes.toString('latin1', 0, 4) === 'HTTP') throw new RangeError('HTTP; that port belongs to another server');
  throw new RangeError(`bytes that are no answer of Kafka (${bytes.subarray(0, 8).toString('hex')} …)`);
}
