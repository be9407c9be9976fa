import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { BrokerAddress } from '../../src/kafka/index.js';
import { FrameReader } from '../../src/kafka/frame-reader.js';

const PRODUCE = 0;
/** Of an answer: its correlation id and the count of topics. */
const BEFORE_TOPICS = 8;
/** What an answer says of a partition: its number, error, base offset, append time and log start. */
const ANSWERED_BYTES = 30;
/** Of a request: kind, version and correlation id; the client's id follows. */
const REQUEST_HEAD = 8;
/** Between the client's id and the topics: no transaction, acks, timeout, the count of topics. */
const BEFORE_SENT_TOPICS = 12;

/** What becomes of the answer to a batch that the broker has taken: it is swallowed with the connection, or lies. */
export type Fate = 'passes' | 'lost' | { readonly errorCode: number };

/** Stands before a broker and spoils its answers. The requests themselves always reach it. */
export class LossyProxy {
  readonly address: BrokerAddress;
  /** Asked for each batch that is stored. */
  fate: () => Fate = () => 'passes';
  /** Called with Kafka's number of each kind of request that passes. */
  onRequest: (apiKey: number) => void = () => undefined;
  /** Batches that passed to the broker so far, repeated ones included. */
  passed = 0;
  /**
   * What becomes of the answer to each kind of request, after its correlation id: it is passed on as it is returned, when
   * that resolves, and what never resolves hangs, with all that come behind it on the connection.
   */
  onAnswer: (apiKey: number, answer: Buffer) => Buffer | Promise<Buffer> = (_, answer) => answer;
  /** Batches whose answers were lost so far. */
  lost = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server, broker: BrokerAddress) {
    this.#server = server;
    this.address = { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
    server.on('connection', (client) => this.#serve(client, connect(broker)));
  }

  static async before(broker: BrokerAddress): Promise<LossyProxy> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new LossyProxy(server, broker);
  }

  /** Resolves when nobody is connected. */
  async left(): Promise<void> {
    while (this.#sockets.size > 0) await Promise.all([...this.#sockets].map((socket) => once(socket, 'close')));
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #serve(client: Socket, broker: Socket): void {
    const kinds = new Map<number, number>();
    let passing: Promise<void> = Promise.resolve();
    const requests = new FrameReader();
    const answers = new FrameReader();
    const cut = () => {
      client.destroy();
      broker.destroy();
    };
    for (const socket of [client, broker]) {
      this.#sockets.add(socket);
      socket.on('error', cut);
      socket.on('close', () => {
        this.#sockets.delete(socket);
        cut();
      });
    }
    client.on('data', (chunk: Buffer) => {
      for (const request of requests.read(chunk)) {
        this.onRequest(request.readInt16BE(0));
        if (request.readInt16BE(0) === PRODUCE) this.passed += batchesIn(request);
        kinds.set(request.readInt32BE(4), request.readInt16BE(0));
      }
      broker.write(chunk);
    });
    broker.on('data', (chunk: Buffer) => {
      for (const answer of answers.read(chunk)) {
        const kind = kinds.get(answer.readInt32BE(0)) ?? 0;
        kinds.delete(answer.readInt32BE(0));
        passing = passing.then(async () => {
          const passed = kind === PRODUCE ? this.#answerToBatches(answer) : await this.#answer(kind, answer);
          if (passed === 'lost') return cut();
          if (client.writable) client.write(framed(passed));
        });
      }
    });
  }

  async #answer(kind: number, answer: Buffer): Promise<Buffer> {
    return Buffer.concat([answer.subarray(0, 4), await this.onAnswer(kind, answer.subarray(4))]);
  }

  /** One answer is for batches of several partitions: one whose answer is lost takes that of the others with it. */
  #answerToBatches(answer: Buffer): Buffer | 'lost' {
    const changed = Buffer.from(answer);
    const stored = errorsIn(answer).filter((at) => answer.readInt16BE(at) === 0);
    let isLost = false;
    for (const at of stored) {
      const fate = this.fate();
      if (fate === 'lost') isLost = true;
      else if (fate !== 'passes') changed.writeInt16BE(fate.errorCode, at);
    }
    if (!isLost) return changed;
    this.lost += stored.length;
    return 'lost';
  }
}

/** Where the error of each partition stands in an answer to batches, version 7. */
function errorsIn(answer: Buffer): readonly number[] {
  const errors: number[] = [];
  let at = BEFORE_TOPICS;
  for (let topics = answer.readInt32BE(at - 4); topics > 0; topics -= 1) {
    at += 2 + answer.readInt16BE(at);
    const partitions = answer.readInt32BE(at);
    at += 4;
    for (let n = 0; n < partitions; n += 1) errors.push(at + n * ANSWERED_BYTES + 4);
    at += partitions * ANSWERED_BYTES;
  }
  return errors;
}

/** How many batches a request carries, version 7. */
function batchesIn(request: Buffer): number {
  let batches = 0;
  let at = REQUEST_HEAD + 2 + request.readInt16BE(REQUEST_HEAD) + BEFORE_SENT_TOPICS;
  for (let topics = request.readInt32BE(at - 4); topics > 0; topics -= 1) {
    at += 2 + request.readInt16BE(at);
    const partitions = request.readInt32BE(at);
    at += 4;
    for (let n = 0; n < partitions; n += 1) at += 8 + request.readInt32BE(at + 4);
    batches += partitions;
  }
  return batches;
}

function framed(answer: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32BE(answer.length);
  return Buffer.concat([length, answer]);
}
