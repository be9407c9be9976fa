import { Socket } from 'node:net';
import { Client, type ClientConfig } from 'pg';
import type { DatabaseAddress } from './database-address.js';

const CONNECT_MS = 10_000;
/** How long the other side may take to end a connection in good order. */
const GOODBYE_MS = 1_000;

/** One connection to the database, which can be cut off at any moment. Whatever is under way on it fails then. */
export class Connection {
  readonly client: Client;
  readonly #socket = new Socket();
  #isCut = false;

  private constructor(address: DatabaseAddress, config: ClientConfig) {
    const stream = () => this.#socket;
    this.client = new Client({ ...config, ...address, stream, connectionTimeoutMillis: CONNECT_MS });
    const lost = () => {
      this.#isCut = true;
    };
    // A statement under way fails too and reports it; between statements there is nobody to tell.
    this.client.on('error', lost).on('end', lost);
  }

  /** @throws what the driver says, also for an abort; the signal's reason when it is aborted before */
  static async open(address: DatabaseAddress, config: ClientConfig, signal: AbortSignal): Promise<Connection> {
    const connection = new Connection(address, config);
    await connection.use(signal, () => connection.client.connect());
    return connection;
  }

  /** Whether it is gone, whoever ended it. */
  get isCut(): boolean {
    return this.#isCut;
  }

  /** Does some work on it. It is cut off when that fails, and when the signal aborts meanwhile. */
  async use<Result>(signal: AbortSignal, work: () => Promise<Result>): Promise<Result> {
    const cut = () => this.cut();
    if (signal.aborted) cut();
    signal.throwIfAborted();
    signal.addEventListener('abort', cut, { once: true });
    try {
      return await work();
    } catch (error) {
      this.cut();
      throw error;
    } finally {
      signal.removeEventListener('abort', cut);
    }
  }

  /** Ends it at once. The server rolls back what was not committed. */
  cut(): void {
    this.#isCut = true;
    this.#socket.destroy();
  }

  /** Ends it in good order; cuts it off when the other side, gone perhaps, does not take part in that. */
  async close(): Promise<void> {
    if (this.#isCut) return;
    const timer = setTimeout(() => this.cut(), GOODBYE_MS);
    try {
      await this.client.end();
    } finally {
      clearTimeout(timer);
    }
  }
}
