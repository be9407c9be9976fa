import { randomUUID } from 'node:crypto';
import { MarketDataError, type ReconnectPolicy } from '@aipx/market-model';
import { Backoff } from './backoff.js';
import { wallClock, type Clock } from './clock.js';
import type { ConnectGate, ConnectTurn } from './connect-gate.js';
import { WebSocketConnection, type ConnectionEvents } from './connection.js';
import { checkReconnectPolicy, checkWebSocketOptions, shownUrl, type WebSocketOptions } from './options.js';
import { TRANSITIONS, type ConnectionState, type ConnectionTrigger, type StateChange } from './states.js';

export interface ReconnectingWebSocketOptions extends WebSocketOptions {
  readonly reconnect: ReconnectPolicy;
  /** Every attempt waits for its turn here, as with a `ConnectLimiter`. Absent: no limit but the waits. */
  readonly gate?: ConnectGate;
  /** An abort is a `close`. */
  readonly signal: AbortSignal;
  /** A new connection is open: the place to send its opening frames. */
  readonly onOpen?: ConnectionEvents['onOpen'];
  readonly onFrame: ConnectionEvents['onFrame'];
  /** Called once the state has changed. */
  readonly onState?: (change: StateChange) => void;
  /** From 0 to below 1. @default Math.random */
  readonly random?: () => number;
  /** An id for each connection, unique across restarts. @default a random UUID */
  readonly newConnectionId?: () => string;
}

/**
 * Keeps one connection to a venue: when it is lost, or open but silent, it makes a new one, with growing waits, until
 * told to stop or until trying again cannot help. Frames of an old connection never come after a new one was begun.
 *
 * A venue that closes with code 1000 has left us like any other: only our own `close` ends the wish to be connected.
 */
export class ReconnectingWebSocket {
  readonly #options: ReconnectingWebSocketOptions;
  readonly #clock: Clock;
  readonly #backoff: Backoff;
  #state: ConnectionState = 'DISCONNECTED';
  #connection: WebSocketConnection | undefined;
  #turn: ConnectTurn | undefined;
  #retryTimer: NodeJS.Timeout | undefined;
  #connected: PromiseWithResolvers<undefined> = quietPromise();
  #closing: Promise<boolean> = Promise.resolve(true);
  #failure: MarketDataError | undefined;
  #paused = false;
  #hasWorked = false;

  /** @throws {MarketDataError} `CONFIG_INVALID`, naming the option, its value and what would be right */
  constructor(options: ReconnectingWebSocketOptions) {
    checkWebSocketOptions(options);
    checkReconnectPolicy(options.reconnect);
    this.#options = options;
    this.#clock = options.clock ?? wallClock;
    this.#backoff = new Backoff(options.reconnect, options.random ?? Math.random);
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /**
   * Sends a text or binary message on the present connection. If it cannot be written, the connection ends.
   *
   * @throws {MarketDataError} `CONNECTION_STATE` unless connected
   */
  send(message: string | Uint8Array): void {
    this.#present('send').send(message);
  }

  /**
   * Begins to be connected; does nothing where that is so already. Resolves as soon as a connection is open. The promise
   * may be left alone: every outcome is a state change too.
   *
   * @throws {MarketDataError} the reason for `FAILED`, or `CONNECTION_STATE` when it was closed first or had failed before
   */
  connect(): Promise<void> {
    if (this.#state === 'FAILED') return rejected(this.#stateError('has failed for good', this.#failure));
    if (this.#options.signal.aborted) return rejected(this.#stateError('was told to stop'));
    if (this.#state === 'DISCONNECTED') {
      this.#connected = quietPromise();
      this.#options.signal.addEventListener('abort', this.#onAbort, { once: true });
      this.#backoff.reset();
      const { promise } = this.#connected;
      this.#move('connect');
      // The owner may have closed it again on hearing of the change.
      if (this.state === 'CONNECTING') this.#attempt();
      return promise;
    }
    return this.#connected.promise;
  }

  /**
   * Ends the wish to be connected, in any state but `FAILED`, where nothing is left to end. Resolves when the socket is gone, with
   * whether the venue has answered our close, so that it knows of the end.
   */
  close(): Promise<boolean> {
    if (TRANSITIONS[this.#state].close === undefined) return this.#closing;
    const connection = this.#release();
    this.#closing = connection?.close() ?? Promise.resolve(true);
    this.#move('close', idOf(connection));
    this.#connected.reject(this.#stateError('was closed before it was connected'));
    return this.#closing;
  }

  /**
   * Real data came: the venue is well, and the next loss is the first.
   *
   * @throws {MarketDataError} `CONNECTION_STATE` unless connected
   */
  confirmData(): void {
    this.#present('confirm data');
    this.#hasWorked = true;
    this.#backoff.reset();
  }

  /**
   * The venue has refused, in a frame, what was asked: the connection ends, and `error.retryable` says whether another
   * follows after a wait (`RECONNECTING`) or none (`FAILED`).
   *
   * @throws {MarketDataError} `CONNECTION_STATE` unless connected
   */
  refuse(error: MarketDataError): void {
    const connection = this.#present('take a refusal');
    this.#closing = connection.close();
    this.#ended(error, connection, !error.retryable);
  }

  /** Stops reading, this connection and those that follow, until `resume`. In any state. */
  pause(): void {
    this.#paused = true;
    this.#connection?.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#connection?.resume();
  }

  #attempt(): void {
    const { gate } = this.#options;
    if (gate === undefined) return this.#open();
    this.#turn = gate.request(
      () => this.#open(),
      (error) => this.#ended(error, undefined, !error.retryable),
    );
  }

  #open(): void {
    const { newConnectionId = randomUUID, onFrame } = this.#options;
    this.#connection = new WebSocketConnection(newConnectionId(), this.#options, {
      onOpen: (connection) => this.#opened(connection),
      onFrame,
      // What worked once may work again: a venue's edge refuses everybody during maintenance.
      onEnd: (error, connection) => this.#ended(error, connection, !error.retryable && !this.#hasWorked),
    });
  }

  #opened(connection: WebSocketConnection): void {
    this.#turn?.release();
    if (this.#paused) connection.pause();
    const { resolve } = this.#connected;
    this.#move('opened', { connectionId: connection.id });
    // The owner may have ended it meanwhile.
    if (connection.isOpen) this.#options.onOpen?.(connection);
    resolve(undefined);
  }

  #ended(error: MarketDataError, connection: WebSocketConnection | undefined, isFinal: boolean): void {
    this.#connection = undefined;
    this.#turn?.release();
    const backoffMs = isFinal ? undefined : this.#backoff.fail();
    if (backoffMs === undefined) return this.#fail(isFinal ? error : this.#gaveUp(error), connection);
    const retryInMs = Math.max(backoffMs, Number(error.context['retryAfterMs'] ?? 0));
    this.#retryTimer = setTimeout(() => this.#attempt(), retryInMs);
    if (this.#state === 'CONNECTED') this.#connected = quietPromise();
    this.#move('lost', { ...idOf(connection), error, retryInMs });
  }

  #fail(error: MarketDataError, connection: WebSocketConnection | undefined): void {
    this.#failure = error;
    this.#release();
    this.#move('failed', { ...idOf(connection), error });
    this.#connected.reject(error);
  }

  #gaveUp(error: MarketDataError): MarketDataError {
    const { url, reconnect } = this.#options;
    return new MarketDataError(
      error.code,
      `gave up on ${shownUrl(url)} after ${reconnect.retries} retries in a row without data; at last: ${error.message}`,
      { cause: error, context: error.context },
    );
  }

  /** Lets go of everything that could act later. */
  #release(): WebSocketConnection | undefined {
    const connection = this.#connection;
    this.#connection = undefined;
    this.#turn?.release();
    clearTimeout(this.#retryTimer);
    this.#options.signal.removeEventListener('abort', this.#onAbort);
    return connection;
  }

  readonly #onAbort = (): void => void this.close();

  #move(trigger: ConnectionTrigger, details: Pick<StateChange, 'connectionId' | 'error' | 'retryInMs'> = {}): void {
    const from = this.#state;
    const to = TRANSITIONS[from][trigger];
    if (to === undefined) throw this.#stateError(`cannot take ${trigger} in state ${from}`);
    this.#state = to;
    this.#options.onState?.({ from, to, trigger, at: this.#clock(), failures: this.#backoff.failures, ...details });
  }

  #present(wish: string): WebSocketConnection {
    const connection = this.#connection;
    if (this.#state === 'CONNECTED' && connection !== undefined) return connection;
    throw this.#stateError(`cannot ${wish} in state ${this.#state}`, this.#failure);
  }

  #stateError(what: string, cause?: MarketDataError): MarketDataError {
    const message = `connection to ${shownUrl(this.#options.url)} ${what}`;
    return new MarketDataError('CONNECTION_STATE', cause === undefined ? message : `${message}: ${cause.message}`, {
      cause,
    });
  }
}

/** An attempt that was not let in has none. */
function idOf(connection: WebSocketConnection | undefined): Pick<StateChange, 'connectionId'> {
  return connection === undefined ? {} : { connectionId: connection.id };
}

/** A promise whose rejection is told by a state change as well, so that it may stay unheard. */
function quietPromise(): PromiseWithResolvers<undefined> {
  const resolvers = Promise.withResolvers<undefined>();
  resolvers.promise.catch(() => undefined);
  return resolvers;
}

function rejected(error: MarketDataError): Promise<never> {
  const promise = Promise.reject(error);
  promise.catch(() => undefined);
  return promise;
}
