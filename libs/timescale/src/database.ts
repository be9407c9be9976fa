import { databaseName, type DatabaseAddress } from './database-address.js';
import { DatabaseError } from 'pg';
import { storeUnavailable } from './database-error.js';
import { Session, type SessionOptions } from './session.js';

/** Connections to one database: opened when they are needed, kept while they work. */
export class Database {
  readonly #address: DatabaseAddress;
  readonly #options: SessionOptions;
  readonly #idle: Session[] = [];

  constructor(address: DatabaseAddress, options: SessionOptions) {
    this.#address = address;
    this.#options = options;
  }

  /**
   * Lends a connection. One whose borrower fails, or whose signal aborts, is cut off, so that nothing of a failed
   * transaction is left anywhere.
   *
   * @throws {MarketDataError} `STORE_UNAVAILABLE`, retryable, for whatever the database or the connection says; what
   * else the borrower throws is thrown on as it is
   */
  async use<Result>(signal: AbortSignal, borrow: (session: Session) => Promise<Result>): Promise<Result> {
    let session: Session | undefined;
    const cut = () => {
      session?.cut();
    };
    signal.addEventListener('abort', cut, { once: true });
    try {
      session = this.#takeIdle() ?? (await Session.open(this.#address, this.#options, signal));
      signal.throwIfAborted();
      const result = await borrow(session);
      if (!session.isCut) this.#idle.push(session);
      return result;
    } catch (cause) {
      // Without a connection, or with one that is cut, whatever was under way fails in the words of the driver.
      const isLost = session === undefined || session.isCut || signal.aborted;
      session?.cut();
      throw isLost || cause instanceof DatabaseError ? storeUnavailable(cause, databaseName(this.#address)) : cause;
    } finally {
      signal.removeEventListener('abort', cut);
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#idle.splice(0).map((session) => session.close()));
  }

  #takeIdle(): Session | undefined {
    for (;;) {
      const session = this.#idle.pop();
      if (session === undefined || !session.isCut) return session;
    }
  }
}
