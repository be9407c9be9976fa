import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { WebSocketServer, type WebSocket } from 'ws';

/** A venue on a real socket that sends what the test says. */
export class VenueServer {
  readonly #server: WebSocketServer;
  /** Connections that asked for their data, in order. */
  readonly #subscribed: WebSocket[] = [];
  readonly #firstWords = new WeakMap<WebSocket, string>();
  #newSubscriber = Promise.withResolvers<undefined>();

  private constructor(server: WebSocketServer) {
    this.#server = server;
    server.on('connection', (socket) => {
      socket.once('message', (words: Buffer) => {
        this.#firstWords.set(socket, words.toString());
        this.#subscribed.push(socket);
        this.#newSubscriber.resolve(undefined);
        this.#newSubscriber = Promise.withResolvers();
      });
    });
  }

  static async listen(): Promise<VenueServer> {
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
    await once(server, 'listening');
    return new VenueServer(server);
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  get connections(): number {
    return this.#subscribed.length;
  }

  /** The nth connection, from 0, once it has subscribed. */
  async connection(index = 0): Promise<WebSocket> {
    for (;;) {
      const socket = this.#subscribed[index];
      if (socket !== undefined) return socket;
      await this.#newSubscriber.promise;
    }
  }

  /** What the nth connection said first. */
  async firstWords(index: number): Promise<string | undefined> {
    return this.#firstWords.get(await this.connection(index));
  }

  async close(): Promise<void> {
    for (const socket of this.#server.clients) socket.terminate();
    const closed = once(this.#server, 'close');
    this.#server.close();
    await closed;
  }
}
