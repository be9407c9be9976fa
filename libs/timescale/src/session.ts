import type { QueryResult } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { Connection } from './connection.js';
import type { DatabaseAddress } from './database-address.js';

export interface SessionOptions {
  readonly applicationName: string;
  /** A statement that takes longer is cut off together with its connection: the other side may be gone. In ms. */
  readonly statementTimeoutMs: number;
}

/** Locks of a writer that vanished without a word are free again after this: between its statements, */
const IDLE_IN_TRANSACTION_MS = 30_000;
/** within a COPY, where the server only notices that the other side is silent, */
const NOTICE_SILENCE =
  'SET tcp_keepalives_idle = 15; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3; SET tcp_user_timeout = 30000';
/**
 * and when the writer stands still but its machine, or a proxy, keeps the connection: no timeout of the server covers a
 * COPY that waits for its rows. A writer that lives would have cut such a statement off itself.
 */
const END_STANDING_WRITERS = `
  SELECT pg_terminate_backend(pid) FROM pg_stat_activity
  WHERE datname = current_database() AND usename = current_user AND application_name = $1 AND pid <> pg_backend_pid()
    AND state = 'active' AND wait_event = 'ClientRead' AND query_start < clock_timestamp() - $2 * interval '1 ms'`;

/** A connection with the statements that the store needs. It fails in one way only: it is cut off, and with it whatever was under way. */
export class Session {
  readonly #connection: Connection;
  readonly #timeoutMs: number;

  private constructor(connection: Connection, timeoutMs: number) {
    this.#connection = connection;
    this.#timeoutMs = timeoutMs;
  }

  static async open(address: DatabaseAddress, options: SessionOptions, signal: AbortSignal): Promise<Session> {
    const { applicationName, statementTimeoutMs } = options;
    const config = {
      application_name: applicationName,
      keepAlive: true,
      idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
    };
    const connection = await Connection.open(address, config, signal);
    const session = new Session(connection, statementTimeoutMs);
    await connection.use(signal, async () => {
      await session.query(NOTICE_SILENCE);
      await session.query(END_STANDING_WRITERS, [applicationName, statementTimeoutMs]);
    });
    return session;
  }

  get isCut(): boolean {
    return this.#connection.isCut;
  }

  async query(text: string, values: readonly unknown[] = []): Promise<QueryResult<Record<string, unknown>>> {
    return this.#guarded(this.#connection.client.query<Record<string, unknown>>(text, [...values]));
  }

  /** Streams rows with `COPY … FROM STDIN`. Resolves with their number when the server has taken them all. */
  async copyIn(statement: string, chunks: Iterable<Buffer>): Promise<number> {
    const stream = this.#connection.client.query(copyFrom(statement));
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
    this.#connection.cut();
  }

  /** Ends the connection in good order; cuts it off when the other side, gone perhaps, does not take part in that. */
  async close(): Promise<void> {
    await this.#connection.close();
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
