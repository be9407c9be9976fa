import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { BrokerAddress } from '../../src/kafka/index.js';
import { FrameReader } from '../../src/kafka/frame-reader.js';

const PRODUCE = 0;

/** What becomes of the answer to a batch that the broker has taken: it is swallowed with the connection, or lies. */
export type Fate = 'passes' | 'lost' | { readonly errorCode: number };

/** Stands before a broker and spoils its answers. The requests themselves always reach it. */
export class LossyProxy {
  readonly address: BrokerAddress;
  /** Asked for each batch that is stored. */
  fate: () => Fate = () => 'passes';
  /** Called with Kafka's number of each kind of request that passes. */
  onRequest: (apiKey: number) => void = () => undefined;
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
        kinds.set(request.readInt32BE(4), request.readInt16BE(0));
      }
      broker.write(chunk);
    });
    broker.on('data', (chunk: Buffer) => {
      for (const answer of answers.read(chunk)) {
        const kind = kinds.get(answer.readInt32BE(0)) ?? 0;
        kinds.delete(answer.readInt32BE(0));
        passing = passing.then(async () => {
          const passed = kind === PRODUCE ? this.#answerToBatch(answer) : await this.#answer(kind, answer);
          if (passed === 'lost') return cut();
          if (client.writable) client.write(framed(passed));
        });
      }
    });
  }

  async #answer(kind: number, answer: Buffer): Promise<Buffer> {
    return Buffer.concat([answer.subarray(0, 4), await this.onAnswer(kind, answer.subarray(4))]);
  }

  #answerToBatch(answer: Buffer): Buffer | 'lost' {
    const isStored = answer.readInt16BE(errorAt(answer)) === 0;
    const fate = isStored ? this.fate() : 'passes';
    if (fate === 'passes') return answer;
    if (fate !== 'lost') return withError(answer, fate.errorCode);
    this.lost += 1;
    return fate;
  }
}

function withError(answer: Buffer, errorCode: number): Buffer {
  const changed = Buffer.from(answer);
  changed.writeInt16BE(errorCode, errorAt(answer));
  return changed;
}

/** An answer to a batch names one topic and one partition before the error. */
function errorAt(answer: Buffer): number {
  return 10 + answer.readInt16BE(8) + 8;
}

function framed(answer: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32BE(answer.length);
  return Buffer.concat([length, answer]);
}
