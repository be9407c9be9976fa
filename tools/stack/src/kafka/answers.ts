import { connect } from 'node:net';
import { once } from 'node:events';
import { HOST } from '../ports.js';

/** What a broker says of its cluster. */
export interface ClusterView {
  readonly clusterId: string | undefined;
  /** Brokers that are registered with the active controller and unfenced. */
  readonly brokers: readonly number[];
}

const METADATA = 3;
const METADATA_VERSION = 4;
const CORRELATION_ID = 1;
const CLIENT_ID = 'aipx-stack';

/**
 * Asks a broker for the metadata of its cluster (Kafka protocol, Metadata version 4, no topics). A broker answers only
 * once a controller is elected and has let it in.
 *
 * @throws when nobody listens, the connection ends, or the signal is aborted
 */
export async function askForCluster(port: number, signal: AbortSignal): Promise<ClusterView> {
  const socket = connect({ port, host: HOST });
  const end = () => socket.destroy(new Error('no answer in time'));
  signal.addEventListener('abort', end, { once: true });
  try {
    await once(socket, 'connect');
    socket.write(metadataRequest());
    const received: Buffer[] = [];
    for await (const chunk of socket) {
      received.push(chunk as Buffer);
      const answer = frameIn(Buffer.concat(received));
      if (answer !== undefined) return readMetadata(answer);
    }
    throw new Error('the broker closed the connection');
  } finally {
    signal.removeEventListener('abort', end);
    socket.destroy();
  }
}

function metadataRequest(): Buffer {
  const clientId = Buffer.from(CLIENT_ID);
  const header = Buffer.alloc(10);
  header.writeInt16BE(METADATA, 0);
  header.writeInt16BE(METADATA_VERSION, 2);
  header.writeInt32BE(CORRELATION_ID, 4);
  header.writeInt16BE(clientId.length, 8);
  const noTopicsAndMakeNone = Buffer.alloc(5);
  const request = Buffer.concat([header, clientId, noTopicsAndMakeNone]);
  const size = Buffer.alloc(4);
  size.writeInt32BE(request.length);
  return Buffer.concat([size, request]);
}

/** The first answer, without its size; `undefined` until all of it is there. */
function frameIn(received: Buffer): Buffer | undefined {
  if (received.length < 4) return undefined;
  const end = 4 + received.readInt32BE(0);
  return received.length < end ? undefined : received.subarray(4, end);
}

function readMetadata(answer: Buffer): ClusterView {
  const reader = new Reader(answer);
  reader.int32(); // correlation id: one request a connection
  reader.int32(); // throttle time
  const brokers: number[] = [];
  for (let left = reader.int32(); left > 0; left -= 1) {
    brokers.push(reader.int32());
    reader.text(); // host
    reader.int32(); // port
    reader.text(); // rack
  }
  return { brokers, clusterId: reader.text() };
}

class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  int32(): number {
    this.#at += 4;
    return this.#bytes.readInt32BE(this.#at - 4);
  }

  text(): string | undefined {
    const length = this.#bytes.readInt16BE(this.#at);
    this.#at += 2;
    if (length < 0) return undefined;
    this.#at += length;
    return this.#bytes.toString('utf8', this.#at - length, this.#at);
  }
}
