import { connect } from 'node:net';
import { once } from 'node:events';

// A client for tests, written apart from what the stack asks brokers itself: three requests of Kafka's protocol.

export interface TopicView {
  /** The broker that leads each partition; -1 for none. */
  readonly leaders: readonly number[];
  /** The brokers that have everything, for each partition. */
  readonly inSync: readonly (readonly number[])[];
}

export interface ClusterView {
  readonly clusterId: string | null;
  readonly brokers: readonly { readonly id: number; readonly address: string }[];
  /** `undefined` when there is no such topic. */
  readonly topic: TopicView | undefined;
}

/** @throws with the broker's error code unless the topic is made */
export async function createTopic(
  address: string,
  name: string,
  partitions: number,
  replication: number,
): Promise<void> {
  const body = Buffer.concat([
    int32(1),
    text(name),
    int32(partitions),
    int16(replication),
    int32(0), // replicas as the broker likes
    int32(0), // no settings
    int32(20_000), // time for it, in ms
    Buffer.of(0), // for real
  ]);
  const answer = new Answer(await request(address, 19, 4, body));
  answer.int32(); // throttle time
  answer.int32(); // topics: one
  answer.text();
  const code = answer.int16();
  if (code !== 0) throw new Error(`topic ${name}: error ${code} ${String(answer.text())}`);
}

export async function describeCluster(address: string, topic: string): Promise<ClusterView> {
  const answer = new Answer(await request(address, 3, 4, Buffer.concat([int32(1), text(topic), Buffer.of(0)])));
  answer.int32(); // throttle time
  const brokers = answer.list(() => {
    const id = answer.int32();
    const host = answer.text();
    const port = answer.int32();
    answer.text(); // rack
    return { id, address: `${String(host)}:${port}` };
  });
  const clusterId = answer.text();
  answer.int32(); // controller
  const [found] = answer.list(() => {
    const error = answer.int16();
    answer.text();
    answer.int8(); // internal
    const partitions = answer.list(() => {
      answer.int16(); // error
      answer.int32(); // partition
      const leader = answer.int32();
      answer.list(() => answer.int32()); // replicas
      return { leader, inSync: answer.list(() => answer.int32()) };
    });
    return error === 0 ? partitions : undefined;
  });
  const view = found && { leaders: found.map(({ leader }) => leader), inSync: found.map(({ inSync }) => inSync) };
  return { clusterId, brokers, topic: view };
}

async function request(address: string, api: number, version: number, body: Buffer): Promise<Buffer> {
  const [host, port] = address.split(':');
  const socket = connect({ host: host ?? '', port: Number(port) });
  await once(socket, 'connect');
  const header = Buffer.concat([int16(api), int16(version), int32(7), text('test')]);
  socket.write(Buffer.concat([int32(header.length + body.length), header, body]));
  const chunks: Buffer[] = [];
  for await (const chunk of socket) {
    chunks.push(chunk as Buffer);
    const received = Buffer.concat(chunks);
    if (received.length >= 4 && received.length >= 4 + received.readInt32BE()) {
      socket.destroy();
      return received.subarray(8); // after size and correlation id
    }
  }
  throw new Error(`${address} closed the connection`);
}

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

function text(value: string): Buffer {
  return Buffer.concat([int16(Buffer.byteLength(value)), Buffer.from(value)]);
}

class Answer {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  int8(): number {
    return this.#bytes.readInt8(this.#at++);
  }

  int16(): number {
    this.#at += 2;
    return this.#bytes.readInt16BE(this.#at - 2);
  }

  int32(): number {
    this.#at += 4;
    return this.#bytes.readInt32BE(this.#at - 4);
  }

  text(): string | null {
    const length = this.int16();
    if (length < 0) return null;
    this.#at += length;
    return this.#bytes.toString('utf8', this.#at - length, this.#at);
  }

  list<T>(read: () => T): T[] {
    return Array.from({ length: this.int32() }, read);
  }
}
