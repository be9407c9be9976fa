import { connect, type Socket } from 'node:net';
import { MarketDataError } from '@aipx/market-model';
import { addressText, type BrokerAddress } from './broker-address.js';
import { connectionFailed, notKafka, otherVersion } from './connection-error.js';
import { FrameReader } from './frame-reader.js';
import type { Api } from './wire/protocol.js';
import { API_VERSIONS, type ApiVersionsAnswer } from './wire/requests.js';

export interface ConnectionOptions {
  readonly clientId: string;
  /** For the connection and the first answer on it, ms. */
  readonly connectTimeoutMs: number;
}

interface Waiting {
  readonly timer: NodeJS.Timeout;
  readonly resolve: (answer: Buffer) => void;
  readonly reject: (error: MarketDataError) => void;
}

const KEEP_ALIVE_MS = 60_000;
const BYTES_BEFORE_BODY = 14;

/**
 * One connection to a broker. The broker answers one request after the other, so a request that is not answered in time
 * is the end of the connection and of all that wait on it: what was asked may have happened all the same.
 */
export class BrokerConnection {
  readonly #address: string;
  readonly #clientId: Buffer;
  readonly #socket: Socket;
  readonly #frames = new FrameReader();
  readonly #versions: Promise<ApiVersionsAnswer>;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;
  #answered = false;
  #failure: MarketDataError | undefined;

  constructor(address: BrokerAddress, options: ConnectionOptions) {
    this.#address = addressText(address);
    this.#clientId = Buffer.from(options.clientId);
    this.#socket = connect({ ...address, noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS });
    this.#socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    this.#socket.on('error', (cause) => this.fail(connectionFailed(this.#address, cause)));
    this.#socket.on('close', () => this.fail(this.#closedByBroker()));
    // Written while the socket still connects: its timeout covers both.
    this.#versions = this.#exchange(API_VERSIONS, {}, options.connectTimeoutMs);
    this.#versions.catch(() => undefined); // whoever asks gets it
  }

  get isOpen(): boolean {
    return this.#failure === undefined;
  }

  /**
   * @throws {MarketDataError} `CONNECTION_FAILED` with what to check when there is no connection, `CONNECTION_LOST` when it
   * ends before the answer or the answer does not come in time, both retryable; `CONFIG_INVALID` for a broker that does
   * not know this request
   */
  async ask<Body, Answer>(api: Api<Body, Answer>, body: Body, timeoutMs: number): Promise<Answer> {
    const { apiVersions } = await this.#versions;
    const known = apiVersions.find(({ apiKey }) => apiKey === api.key);
    if (known === undefined || api.version < known.minVersion || api.version > known.maxVersion) {
      throw otherVersion(this.#address, api);
    }
    return await this.#exchange(api, body, timeoutMs);
  }

  /** Ends the connection, and with this error everything that waits on it. */
  fail(error: MarketDataError): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.#socket.destroy();
    for (const { timer, reject } of this.#waiting.values()) {
      clearTimeout(timer);
      reject(error);
    }
    this.#waiting.clear();
  }

  async #exchange<Body, Answer>(api: Api<Body, Answer>, body: Body, timeoutMs: number): Promise<Answer> {
    const payload = await api.encode(body);
    if (this.#failure !== undefined) throw this.#failure;
    const answer = await new Promise<Buffer>((resolve, reject) => {
      const id = this.#nextId();
      const timer = setTimeout(() => this.fail(this.#late(api.name, timeoutMs)), timeoutMs);
      this.#waiting.set(id, { timer, resolve, reject });
      this.#send(api, id, payload);
    });
    try {
      return await api.decode(answer);
    } catch (cause) {
      const error = notKafka(this.#address, `an answer to ${api.name} that cannot be read`, cause);
      this.fail(error);
      throw error;
    }
  }

  #send(api: Api<never, unknown>, id: number, payload: Buffer): void {
    const head = Buffer.allocUnsafe(BYTES_BEFORE_BODY + this.#clientId.length);
    head.writeInt32BE(head.length - 4 + payload.length, 0);
    head.writeInt16BE(api.key, 4);
    head.writeInt16BE(api.version, 6);
    head.writeInt32BE(id, 8);
    head.writeInt16BE(this.#clientId.length, 12);
    this.#clientId.copy(head, BYTES_BEFORE_BODY);
    this.#socket.cork();
    this.#socket.write(head);
    this.#socket.write(payload);
    this.#socket.uncork();
  }

  #onData(chunk: Buffer): void {
    try {
      for (const frame of this.#frames.read(chunk)) this.#onAnswer(frame);
    } catch (cause) {
      this.fail(notKafka(this.#address, cause instanceof Error ? cause.message : String(cause), cause));
    }
  }

  #onAnswer(frame: Buffer): void {
    const id = frame.readInt32BE(0);
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return;
    this.#answered = true;
    this.#waiting.delete(id);
    clearTimeout(waiting.timer);
    waiting.resolve(frame.subarray(4));
  }

  #nextId(): number {
    this.#lastId = (this.#lastId + 1) & 0x7fffffff;
    return this.#lastId;
  }

  #late(request: string, timeoutMs: number): MarketDataError {
    return new MarketDataError(
      this.#answered ? 'CONNECTION_LOST' : 'CONNECTION_FAILED',
      `Kafka broker ${this.#address} does not answer (${request}, ${timeoutMs} ms); is it overloaded, or cut off?`,
      { context: { broker: this.#address, request }, retryable: true },
    );
  }

  #closedByBroker(): MarketDataError {
    if (!this.#answered) {
      return connectionFailed(
        this.#address,
        new Error('it closed the connection without an answer: is it starting, or is that port no PLAINTEXT listener?'),
      );
    }
    return new MarketDataError('CONNECTION_LOST', `Kafka broker ${this.#address} closed the connection`, {
      context: { broker: this.#address },
      retryable: true,
    });
  }
}
