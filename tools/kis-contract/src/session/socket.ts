import type { MarketDataError, Nanoseconds } from '@aipx/market-model';
import { WebSocketConnection } from '@aipx/websocket-client';

const HANDSHAKE_TIMEOUT_MS = 10_000;
/** Silence is a finding here, not a reason to hang up. */
const SILENCE_TIMEOUT_MS = 2 ** 31 - 1;

export type OnFrame = (bytes: Uint8Array, receivedAt: Nanoseconds) => void;

/** The one connection of a run. It does not come back. */
export class KisSocket {
  readonly #connection: WebSocketConnection;
  readonly #opened = Promise.withResolvers<undefined>();
  readonly #lost = new AbortController();

  /** Begins to connect. */
  constructor(url: string, onFrame: OnFrame) {
    this.#connection = new WebSocketConnection(
      'kis-contract',
      { url, handshakeTimeoutMs: HANDSHAKE_TIMEOUT_MS, silenceTimeoutMs: SILENCE_TIMEOUT_MS },
      {
        onOpen: () => this.#opened.resolve(undefined),
        onFrame,
        onEnd: (error: MarketDataError) => {
          this.#lost.abort(error);
          this.#opened.reject(error);
        },
      },
    );
  }

  /** Aborted when the connection is lost, or was never there, with why. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** @throws {MarketDataError} `CONNECTION_*` when it does not open, or the signal's reason */
  async opened(signal: AbortSignal): Promise<void> {
    const stop = () => this.#opened.reject(signal.reason as Error);
    signal.addEventListener('abort', stop, { once: true });
    try {
      signal.throwIfAborted();
      await this.#opened.promise;
    } catch (cause) {
      await this.close();
      throw cause;
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }

  /** What is sent into a connection that has just ended is nobody's loss: `lost` says so. */
  send(text: string): void {
    if (!this.lost.aborted) this.#connection.send(text);
  }

  async close(): Promise<void> {
    await this.#connection.close();
  }
}
