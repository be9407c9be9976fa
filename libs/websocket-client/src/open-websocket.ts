import { randomUUID } from 'node:crypto';
import { MarketDataError } from '@aipx/market-model';
import { WebSocketConnection, type ConnectionEvents } from './connection.js';
import { checkWebSocketOptions, shownUrl, type WebSocketOptions } from './options.js';

export interface OpenWebSocketOptions extends WebSocketOptions {
  readonly signal: AbortSignal;
  readonly onFrame: ConnectionEvents['onFrame'];
  /** The open connection was lost: once, last, and not after `close` or an abort of `signal`. */
  readonly onLost?: (error: MarketDataError, connection: WebSocketConnection) => void;
}

/**
 * Opens one socket, without any second try. The signal ends it, open or not.
 *
 * @throws {MarketDataError} `CONFIG_INVALID`; `CONNECTION_FAILED` or `CONNECTION_REFUSED_BY_VENUE` when it does not open;
 * `CONNECTION_STATE` when the signal aborts first
 */
export function openWebSocket(options: OpenWebSocketOptions): Promise<WebSocketConnection> {
  const { signal, onFrame, onLost } = options;
  return new Promise((resolve, reject) => {
    checkWebSocketOptions(options);
    if (signal.aborted) throw abortedWhileOpening(options.url);
    let isOpen = false;
    const connection = new WebSocketConnection(randomUUID(), options, {
      onOpen: () => {
        isOpen = true;
        resolve(connection);
      },
      onFrame,
      onEnd: (error) => {
        signal.removeEventListener('abort', abort);
        if (isOpen) onLost?.(error, connection);
        else reject(error);
      },
    });
    const abort = () => {
      void connection.close();
      reject(abortedWhileOpening(options.url));
    };
    signal.addEventListener('abort', abort, { once: true });
  });
}

function abortedWhileOpening(url: string): MarketDataError {
  return new MarketDataError('CONNECTION_STATE', `told to stop before ${shownUrl(url)} was connected`);
}
