import { MarketDataError, type KeepAlive, type Nanoseconds } from '@aipx/market-model';
import { WebSocket, type ClientOptions, type RawData } from 'ws';
import { wallClock, type Clock } from './clock.js';
import {
  connectionBroke,
  connectionClosed,
  connectionSilent,
  connectionUnanswered,
  handshakeRefused,
  openingFailed,
  openingTimedOut,
} from './connection-error.js';
import { Heartbeat } from './heartbeat.js';
import { DEFAULT_CLOSE_TIMEOUT_MS, DEFAULT_MAX_FRAME_BYTES, shownUrl, type WebSocketOptions } from './options.js';
import { readByTurns } from './read-share.js';
import { SilenceWatchdog } from './watchdog.js';

export interface ConnectionEvents {
  /** The socket is open. Nothing was received yet. */
  readonly onOpen: (connection: WebSocketConnection) => void;
  /** A message: binary as it came, text as its UTF-8 bytes. */
  readonly onFrame: (bytes: Uint8Array, receivedAt: Nanoseconds, connection: WebSocketConnection) => void;
  /** It did not open, or was open and is lost. Once, last, and never after `close`. */
  readonly onEnd: (error: MarketDataError, connection: WebSocketConnection) => void;
}

/** What `ws` says in place of the venue's own code (RFC 6455, 7.4.1). */
const NO_CLOSE_FRAME = 1006;

/** One socket, from its first handshake byte to its end. After `close`, or after `onEnd`, nothing of it is delivered. */
export class WebSocketConnection {
  readonly id: string;
  readonly #url: string;
  readonly #events: ConnectionEvents;
  readonly #clock: Clock;
  readonly #socket: WebSocket;
  readonly #watchdog: SilenceWatchdog;
  readonly #heartbeat: Heartbeat | undefined;
  readonly #handshakeTimer: NodeJS.Timeout;
  #wasOpen = false;
  #ended = false;
  #closing: Promise<boolean> | undefined;

  /** Begins to connect. The options are checked already. */
  constructor(id: string, options: WebSocketOptions, events: ConnectionEvents) {
    const { url, handshakeTimeoutMs, silenceTimeoutMs, keepAlive } = options;
    this.id = id;
    this.#url = url;
    this.#events = events;
    this.#clock = options.clock ?? wallClock;
    this.#watchdog = new SilenceWatchdog(silenceTimeoutMs, () => this.#end(connectionSilent(url, silenceTimeoutMs)));
    this.#heartbeat = keepAlive && this.#makeHeartbeat(keepAlive);
    this.#socket = new WebSocket(url, socketOptions(options));
    // Of our own: that of ws counts idle time, so a venue that answers byte by byte would be waited for without end.
    this.#handshakeTimer = setTimeout(() => this.#end(openingTimedOut(url, handshakeTimeoutMs)), handshakeTimeoutMs);
    this.#listen();
  }

  get isOpen(): boolean {
    return !this.#ended && this.#socket.readyState === WebSocket.OPEN;
  }

  /**
   * Sends a text or binary message. If it cannot be written, also because the venue is just leaving, the connection ends.
   *
   * @throws {MarketDataError} `CONNECTION_STATE` before it is open and after its end
   */
  send(message: string | Uint8Array): void {
    if (!this.#wasOpen || this.#ended) {
      throw new MarketDataError('CONNECTION_STATE', `connection ${this.id} to ${shownUrl(this.#url)} is not open`);
    }
    this.#socket.send(message);
  }

  /** Stops reading. Frames of what was read already, at most 64 KiB, may still come; silence is not counted. */
  pause(): void {
    if (!this.isOpen) return;
    this.#watchdog.stop();
    this.#heartbeat?.pause();
    this.#socket.pause();
  }

  resume(): void {
    if (!this.isOpen || !this.#socket.isPaused) return;
    this.#watchdog.start();
    this.#heartbeat?.resume();
    this.#socket.resume();
  }

  /**
   * Ends it: nothing is delivered any more. Resolves when the socket is gone, with whether the venue knows: closed by both sides
   * and not by us alone.
   */
  close(): Promise<boolean> {
    return (this.#closing ??= this.#close());
  }

  #close(): Promise<boolean> {
    this.#detach();
    if (this.#socket.readyState === WebSocket.CLOSED) return Promise.resolve(true);
    const wasOpen = this.#wasOpen;
    return new Promise((resolve) => {
      this.#socket.once('close', (code) => resolve(!wasOpen || code !== NO_CLOSE_FRAME));
      if (this.#socket.readyState === WebSocket.CONNECTING) return this.#socket.terminate();
      // The venue's answer can only be read by a socket that reads.
      this.#socket.resume();
      this.#socket.close(1000);
    });
  }

  #listen(): void {
    const url = this.#url;
    this.#socket.on('open', () => this.#opened());
    this.#socket.on('message', (data) => this.#received(data));
    this.#socket.on('ping', () => this.#heartbeat?.heard());
    this.#socket.on('pong', () => this.#heartbeat?.heard());
    this.#socket.on('unexpected-response', (_, { statusCode = 0, headers }) => {
      this.#end(handshakeRefused(url, statusCode, headers['retry-after']));
    });
    this.#socket.on('error', (cause) => {
      this.#end(this.#wasOpen ? connectionBroke(url, cause) : openingFailed(url, cause));
    });
    // ws keeps to itself why an open socket broke, so it is asked of the socket below.
    let broken: Error | undefined;
    this.#socket.on('upgrade', ({ socket }) => {
      socket.once('error', (cause) => (broken = cause));
      this.#socket.once('open', () => readByTurns(socket, () => this.#socket.isPaused));
    });
    this.#socket.on('close', (code, reason) => {
      this.#end(broken ? connectionBroke(url, broken) : connectionClosed(url, code, reason.toString()));
    });
  }

  #opened(): void {
    this.#wasOpen = true;
    clearTimeout(this.#handshakeTimer);
    this.#watchdog.start();
    this.#heartbeat?.start();
    this.#events.onOpen(this);
  }

  #received(data: RawData): void {
    this.#watchdog.heard();
    this.#heartbeat?.heard();
    // `binaryType` is left at `nodebuffer`, so every message is one Buffer.
    this.#events.onFrame(data as Buffer, this.#clock(), this);
  }

  #makeHeartbeat(keepAlive: KeepAlive): Heartbeat {
    const { text, pongTimeoutMs = 0 } = keepAlive;
    const send = text === undefined ? () => this.#socket.ping() : () => this.#socket.send(text);
    return new Heartbeat(keepAlive, send, () => this.#end(connectionUnanswered(this.#url, pongTimeoutMs)));
  }

  #end(error: MarketDataError): void {
    this.#detach();
    this.#socket.terminate();
    this.#events.onEnd(error, this);
  }

  /** From here on the socket is on its own: no event of it reaches anybody. */
  #detach(): void {
    this.#ended = true;
    clearTimeout(this.#handshakeTimer);
    this.#heartbeat?.stop();
    this.#watchdog.stop();
    this.#socket.removeAllListeners();
    this.#socket.on('error', () => undefined);
  }
}

function socketOptions(options: WebSocketOptions): ClientOptions & { readonly closeTimeout: number } {
  return {
    maxPayload: options.maxFrameBytes ?? DEFAULT_MAX_FRAME_BYTES,
    closeTimeout: options.closeTimeoutMs ?? DEFAULT_CLOSE_TIMEOUT_MS,
    // Inflating happens off the event loop and would queue frames behind our back while we are paused.
    perMessageDeflate: false,
    // One frame with broken text is the driver's to reject; it must not cost the connection.
    skipUTF8Validation: true,
    followRedirects: false,
  };
}
