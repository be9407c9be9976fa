import { Socket } from 'node:net';
import { Client, type QueryResult } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import type { DatabaseAddress } from './database-address.js';

export interface SessionOptions {
  readonly applicationName: string;
  /** A statement that takes longer is cut off together with its connection: the other side may be gone. In ms. */
  readonly statementTimeoutMs: number;
}

const CONNECT_MS = 10_000;
/** How long the other side may take to end a connection in good order. */
const GOODBYE_MS = 1_000;
/** Locks of a writer that vanished without a word are free again after this: between its statements, */
const IDLE_IN_TRANSACTION_MS = 30_000;
/** and within a COPY, where the server only notices that the other side is silent. */
const NOTICE_SILENCE =
  'SET tcp_keepalives_idle = 15; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3; SET tcp_user_timeout = 30000';

/** One connection to the database. It fails in one way only: it is cut off, and with it whatever was under way. */
export class Session {
  readonly #client: Client;
  readonly #socket: Socket;
  readonly #timeoutMs: number;
  #isCut = false;

  private constructor(client: Client, socket: Socket, timeoutMs: number) {
    this.#client = client;
    this.#socket = socket;
    this.#timeoutMs = timeoutMs;
    // A statement under way fails too and reports it; between statements there is nobody to tell.
    client.on('error', () => {
      this.#isCut = true;
    });
    client.on('end', () => {
      this.#isCut = true;
    });
  }

  static async open(address: DatabaseAddress, options: SessionOptions, signal: AbortSignal): Promise<Session> {
    signal.throwIfAborted();
    const socket = new Socket();
    const client = new Client({
      ...address,
      stream: () => socket,
      application_name: options.applicationName,
      connectionTimeoutMillis: CONNECT_MS,
      keepAlive: true,
      idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
    });
    const session = new Session(client, socket, options.statementTimeoutMs);
    const cut = () => {
      session.cut();
    };
    signal.addEventListener('abort', cut, { once: true });
    try {
      await client.connect();
      await session.query(NOTICE_SILENCE);
    } catch (error) {
      session.cut();
      throw error;
    } finally {
      signal.removeEventListener('abort', cut);
    }
    return session;
  }

  get isCut(): boolean {
    return this.#isCut;
  }

  async query(text: string, values: readonly unknown[] = []): Promise<QueryResult<Record<string, unknown>>> {
    return this.#guarded(this.#client.query<Record<string, unknown>>(text, [...values]));
  }

  /** Streams rows with `COPY … FROM STDIN`. Resolves with their number when the server has taken them all. */
  async copyIn(statement: string, chunks: Iterable<Buffer>): Promise<number> {
    const stream = this.#client.query(copyFrom(statement));
    const { promise: taken, resolve, reject } = Promise.withResolvers<undefined>();
    stream.on('finish', resolve).on('error', reject);
    const write = (chunk: Buffer) => new Promise((written) => stream.write(chunk, written));
    const send = async () => {
      // One chunk at a time: pg-copy-streams keeps those that wait, and stumbles over them after a refusal.
      for (const chunk of chunks) await Promise.race([write(chunk), taken]);
      stream.end();
      await taken;
      return stream.rowCount;
    };
    return this.#guarded(send());
  }

  /** Ends the connection at once. The server rolls back what was not committed. */
  cut(): void {
    this.#isCut = true;
    this.#socket.destroy();
  }

  /** Ends the connection in good order; cuts it off when the other side, gone perhaps, does not take part in that. */
  async close(): Promise<void> {
    if (this.#isCut) return;
    const timer = setTimeout(() => {
      this.cut();
    }, GOODBYE_MS);
    try {
      await this.#client.end();
    } finally {
      clearTimeout(timer);
    }
  }

  async #guarded<Result>(result: Promise<Result>): Promise<Result> {
    const timer = setTimeout(() => {
      this.cut();
    }, this.#timeoutMs);
    try {
      return await result;
    } finally {
      clearTimeout(timer);
    }
  }
}
