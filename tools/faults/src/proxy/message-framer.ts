/** A message of PostgreSQL's wire protocol, version 3, whole. */
export interface WireMessage {
  /** Empty for the first message of a client, which has none. */
  readonly type: string;
  readonly bytes: Buffer;
}

const LENGTH_BYTES = 4;

/** Cuts one direction of a connection into messages. */
export class MessageFramer {
  #rest: Buffer = Buffer.alloc(0);
  #isTyped: boolean;

  /** @param isTyped from the first message on: so it is for what the server sends */
  constructor(isTyped: boolean) {
    this.#isTyped = isTyped;
  }

  /** @returns the messages that are whole with these bytes */
  take(chunk: Buffer): readonly WireMessage[] {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const messages: WireMessage[] = [];
    let at = 0;
    for (;;) {
      const head = this.#isTyped ? 1 : 0;
      if (bytes.length < at + head + LENGTH_BYTES) break;
      const end = at + head + bytes.readUInt32BE(at + head);
      if (bytes.length < end) break;
      messages.push({ type: bytes.toString('latin1', at, at + head), bytes: bytes.subarray(at, end) });
      this.#isTyped = true;
      at = end;
    }
    this.#rest = bytes.subarray(at);
    return messages;
  }
}

/** The text of a `Query`, or the tag of a `CommandComplete`. */
export function textOf({ bytes }: WireMessage): string {
  return bytes.toString('utf8', 1 + LENGTH_BYTES, bytes.length - 1);
}

/** An error as the server reports it; with `FATAL` it ends the connection after it. */
export function errorMessage(sqlstate: string, text: string): Buffer {
  const fields = Buffer.from(`SFATAL\0VFATAL\0C${sqlstate}\0M${text}\0\0`);
  const head = Buffer.alloc(1 + LENGTH_BYTES);
  head.write('E', 0, 'latin1');
  head.writeUInt32BE(LENGTH_BYTES + fields.length, 1);
  return Buffer.concat([head, fields]);
}
