import type { MarketDataError, Nanoseconds } from '@aipx/market-model';
import { WebSocketConnection, type ConnectionEvents, type WebSocketOptions } from '../src/index.js';
import { Mailbox } from './venue-server.js';

export interface Frame {
  readonly bytes: Uint8Array;
  readonly receivedAt: Nanoseconds;
}

export interface OpenedConnection {
  readonly connection: WebSocketConnection;
  readonly frames: Mailbox<Frame>;
  /** Resolves with the reason once the open connection is lost. */
  readonly lost: Promise<MarketDataError>;
}

/** Begins one connection: `opened` rejects with the reason when it does not open. */
export function beginConnection(
  url: string,
  options: Partial<WebSocketOptions & Pick<ConnectionEvents, 'onFrame'>> = {},
): { readonly connection: WebSocketConnection; readonly opened: Promise<OpenedConnection> } {
  const frames = new Mailbox<Frame>();
  const opened = Promise.withResolvers<OpenedConnection>();
  const lost = Promise.withResolvers<MarketDataError>();
  const connection = new WebSocketConnection(
    'connection-1',
    { url, handshakeTimeoutMs: 5_000, silenceTimeoutMs: 60_000, ...options },
    {
      onOpen: () => opened.resolve({ connection, frames, lost: lost.promise }),
      onFrame: options.onFrame ?? ((bytes, receivedAt) => frames.put({ bytes, receivedAt })),
      onEnd: (error) => {
        opened.reject(error);
        lost.resolve(error);
      },
    },
  );
  return { connection, opened: opened.promise };
}
