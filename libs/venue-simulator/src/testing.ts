import { WebSocket } from 'ws';

export interface Message {
  readonly bytes: Buffer;
  readonly binary: boolean;
}

/** A real `ws` client, not the project's own, that keeps what it receives until a test asks for it. */
export class TestClient {
  readonly socket: WebSocket;
  /** The close code, once the connection has ended. */
  readonly closed: Promise<number>;
  readonly #received: Message[] = [];
  #waiting: (() => void) | undefined;
  #ended = false;

  private constructor(url: string) {
    this.socket = new WebSocket(url, { perMessageDeflate: false });
    this.socket.on('message', (data, binary) => {
      this.#received.push({ bytes: data as Buffer, binary });
      this.#waiting?.();
    });
    // Cut connections are what many tests are about; the close code tells.
    this.socket.on('error', () => undefined);
    this.closed = new Promise((resolve) => {
      this.socket.on('close', (code) => {
        this.#ended = true;
        this.#waiting?.();
        resolve(code);
      });
    });
  }

  static async connect(url: string): Promise<TestClient> {
    const client = new TestClient(url);
    await new Promise((resolve, reject) => {
      client.socket.once('open', resolve);
      client.socket.once('error', reject);
    });
    return client;
  }

  send(message: unknown): void {
    this.socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  }

  /** The next message, in order of arrival. */
  async next(): Promise<Message> {
    for (;;) {
      const message = this.#received.shift();
      if (message !== undefined) return message;
      if (this.#ended) throw new Error('the connection has ended and every message was taken');
      await new Promise<void>((resolve) => {
        this.#waiting = resolve;
      });
    }
  }

  async nextText(): Promise<string> {
    return (await this.next()).bytes.toString('utf8');
  }

  async texts(count: number): Promise<string[]> {
    const texts: string[] = [];
    while (texts.length < count) texts.push(await this.nextText());
    return texts;
  }

  /** Everything until the connection ends. */
  async rest(): Promise<string[]> {
    await this.closed;
    return this.#received.splice(0).map(({ bytes }) => bytes.toString('utf8'));
  }
}
