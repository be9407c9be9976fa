import { Slots } from '@aipx/event-log';
import { DatabaseError } from 'pg';
import { databaseName, type DatabaseAddress } from './database-address.js';
import { storeUnavailable } from './database-error.js';
import { Session, type SessionOptions } from './session.js';

export interface PoolOptions extends SessionOptions {
  /** Connections at most; who needs one more waits. */
  readonly poolSize: number;
  /** Failures in a row after which no connection is used again: the next ones are made to whatever the name means then. */
  readonly maxRetries: number;
}

/** Connections to one database: opened when they are needed, kept while they work. */
export class Database {
  readonly #address: DatabaseAddress;
  readonly #options: PoolOptions;
  readonly #slots: Slots;
  #idle: Session[] = [];
  /** Counts the renewals: a connection of an earlier one is not kept. */
  #generation = 0;
  #failures = 0;

  constructor(address: DatabaseAddress, options: PoolOptions) {
    this.#address = address;
    this.#options = options;
    this.#slots = new Slots(options.poolSize);
  }

  /**
   * Lends a connection. One whose borrower fails, or whose signal aborts, is cut off, so that nothing of a failed
   * transaction is left anywhere.
   *
   * @throws {MarketDataError} `STORE_UNAVAILABLE`, retryable, for whatever the database or the connection says; what
   * else the borrower throws is thrown on as it is
   */
  async use<Result>(signal: AbortSignal, borrow: (session: Session) => Promise<Result>): Promise<Result> {
    await this.#slots.enter(signal).catch((cause: unknown) => {
      throw storeUnavailable(cause, databaseName(this.#address));
    });
    try {
      return await this.#lend(signal, borrow);
    } finally {
      this.#slots.leave();
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#idle.splice(0).map((session) => session.close()));
  }

  async #lend<Result>(signal: AbortSignal, borrow: (session: Session) => Promise<Result>): Promise<Result> {
    let session: Session | undefined;
    const cut = () => {
      session?.cut();
    };
    signal.addEventListener('abort', cut, { once: true });
    const generation = this.#generation;
    try {
      session = this.#takeIdle() ?? (await Session.open(this.#address, this.#options, signal));
      signal.throwIfAborted();
      const result = await borrow(session);
      this.#giveBack(session, generation);
      return result;
    } catch (cause) {
      // Without a connection, or with one that is cut, whatever was under way fails in the words of the driver.
      const isLost = session === undefined || session.isCut || signal.aborted;
      session?.cut();
      if (!isLost && !(cause instanceof DatabaseError)) throw cause;
      if (!signal.aborted) this.#failed();
      throw storeUnavailable(cause, databaseName(this.#address));
    } finally {
      signal.removeEventListener('abort', cut);
    }
  }

  #giveBack(session: Session, generation: number): void {
    if (session.isCut) this.#failed();
    else if (generation === this.#generation) {
      this.#failures = 0;
      this.#idle.push(session);
    } else void session.close().catch(() => undefined);
  }

  #failed(): void {
    this.#failures += 1;
    if (this.#failures < this.#options.maxRetries) return;
    this.#failures = 0;
    this.#generation += 1;
    for (const session of this.#idle.splice(0)) session.cut();
  }

  #takeIdle(): Session | undefined {
    for (;;) {
      const session = this.#idle.pop();
      if (session === undefined || !session.isCut) return session;
    }
  }
}
