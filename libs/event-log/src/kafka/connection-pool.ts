import type { MarketDataError } from '@aipx/market-model';
import { addressText, type BrokerAddress } from './broker-address.js';
import { BrokerConnection, type ConnectionOptions } from './broker-connection.js';

export interface PoolOptions extends ConnectionOptions {
  /** Where to connect for an address. */
  readonly route: (address: BrokerAddress) => BrokerAddress;
}

/**
 * Connections by broker and purpose. A broker serves one request of a connection at a time, so what must not wait for
 * each other, a long poll and a question for offsets, goes by different ones. A connection that has failed is replaced
 * at the next use.
 */
export class ConnectionPool {
  readonly #options: PoolOptions;
  readonly #connections = new Map<string, BrokerConnection>();
  #closed: MarketDataError | undefined;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  /** @throws {MarketDataError} what the pool was closed with */
  get(address: BrokerAddress, purpose: string): BrokerConnection {
    if (this.#closed !== undefined) throw this.#closed;
    const name = `${addressText(address)} ${purpose}`;
    const known = this.#connections.get(name);
    if (known?.isOpen) return known;
    const connection = new BrokerConnection(this.#options.route(address), this.#options);
    this.#connections.set(name, connection);
    return connection;
  }

  /** Ends all connections of a purpose; what waits on them rejects with the error. */
  end(purpose: string, error: MarketDataError): void {
    for (const [name, connection] of this.#connections) {
      if (!name.endsWith(` ${purpose}`)) continue;
      this.#connections.delete(name);
      connection.fail(error);
    }
  }

  /** Ends all connections; what waits on them, and whoever asks for one from now on, gets the error. */
  close(error: MarketDataError): void {
    this.#closed = error;
    for (const connection of this.#connections.values()) connection.fail(error);
    this.#connections.clear();
  }
}
