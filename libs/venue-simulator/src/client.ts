import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { SimulatedClient, SimulatedConnection, SimulatedVenue } from '@aipx/venue/simulation';
import type { WebSocket } from 'ws';

/** Above this many bytes that the client has not taken yet, the sender waits for it. */
const HIGH_WATER_BYTES = 1024 * 1024;

/** Close code of a server that met a condition it did not expect (RFC 6455, section 7.4.1). */
const INTERNAL_ERROR = 1011;

/** What the other side sees when no close frame came (RFC 6455, section 7.1.5). */
const WITHOUT_CLOSE_FRAME = 1006;

export interface ClientOptions {
  /** Names the connection in the journal. */
  readonly id: string;
  readonly socket: WebSocket;
  /** The TCP connection below the WebSocket. */
  readonly wire: Duplex;
  readonly venue: SimulatedVenue;
  readonly listed: ReadonlySet<string>;
  readonly idleLimitMs: number;
  /** Called after each message that is heard of the client and when it has gone. */
  readonly onChange: () => void;
}

/** One connected client: its socket, its protocol, and how much of what it was sent still waits. */
export class Client implements SimulatedClient {
  readonly id: string;
  readonly protocol: SimulatedConnection;
  /** Resolves when the connection has ended, whoever ended it. */
  readonly ended: Promise<void>;
  readonly #socket: WebSocket;
  readonly #wire: Duplex;
  readonly #sendOptions: { readonly binary: boolean };
  readonly #onChange: () => void;
  readonly #timers = new Set<NodeJS.Timeout>();
  #corked = false;
  #silent = false;
  #halfOpen = false;
  /** Frames handed to the socket that the kernel has not taken yet. */
  #unwritten = 0;
  #whenWritten: (() => void) | undefined;

  constructor({ id, socket, wire, venue, listed, idleLimitMs, onChange }: ClientOptions) {
    this.id = id;
    this.#socket = socket;
    this.#wire = wire;
    this.#sendOptions = { binary: venue.frameType !== 'text' };
    this.#onChange = onChange;
    this.protocol = venue.accept(this, listed);
    const { promise, resolve }: PromiseWithResolvers<void> = Promise.withResolvers();
    this.ended = promise;
    const idle = setTimeout(() => {
      // As the venues do: no close frame, the client sees 1006.
      socket.terminate();
    }, idleLimitMs);
    socket.on('message', (data) => {
      if (this.#halfOpen) return;
      idle.refresh();
      this.#hear((data as Buffer).toString('utf8'));
      onChange();
    });
    socket.on('ping', (data) => {
      if (this.#halfOpen) return;
      idle.refresh();
      if (!this.#silent) socket.pong(data);
    });
    socket.on('pong', (data) => {
      idle.refresh();
      if (!this.#halfOpen) this.protocol.onPong?.(data.toString('utf8'));
    });
    // A reset or a broken frame of the client; `close` follows in any case.
    socket.on('error', () => undefined);
    socket.on('close', (code) => {
      clearTimeout(idle);
      for (const timer of this.#timers) clearTimeout(timer);
      this.#whenWritten?.();
      this.protocol.onEnd?.(code);
      resolve();
      onChange();
    });
  }

  get open(): boolean {
    return this.#socket.readyState === this.#socket.OPEN;
  }

  get congested(): boolean {
    return this.#socket.bufferedAmount > HIGH_WATER_BYTES;
  }

  /** Hands over a data frame; it leaves with the next `flush`. False when the connection has ended. */
  send(frame: Uint8Array): boolean {
    if (!this.open) return false;
    // Taken, and lost on the way: a sender does not know of a dead peer either.
    if (this.#halfOpen) return true;
    if (!this.#corked) {
      this.#corked = true;
      this.#wire.cork();
    }
    this.#unwritten += 1;
    this.#socket.send(frame, this.#sendOptions, this.#written);
    return true;
  }

  /** Writes everything handed over since the last call, at once. */
  flush(): void {
    if (!this.#corked || this.#halfOpen) return;
    this.#corked = false;
    this.#wire.uncork();
  }

  /** Resolves when the kernel has taken every frame, however long the client takes to read, or when the client has gone. */
  async drained(): Promise<void> {
    this.flush();
    if (this.#halfOpen || this.#unwritten === 0 || this.#socket.readyState === this.#socket.CLOSED) return;
    const { promise, resolve }: PromiseWithResolvers<void> = Promise.withResolvers();
    this.#whenWritten = resolve;
    await promise;
    this.#whenWritten = undefined;
  }

  /** A message that the protocol trips over costs its sender the connection, and nobody else anything. */
  #hear(text: string): void {
    try {
      this.protocol.onText(text);
    } catch {
      this.#socket.close(INTERNAL_ERROR, 'the simulated venue failed to read this message');
    }
  }

  readonly #written = (): void => {
    this.#unwritten -= 1;
    if (this.#unwritten === 0) this.#whenWritten?.();
  };

  control(text: string): void {
    if (this.open && !this.#silent && !this.#halfOpen) this.#socket.send(text);
  }

  close(code: number): void {
    if (this.#halfOpen || code === WITHOUT_CLOSE_FRAME) {
      this.reset();
      return;
    }
    this.flush();
    this.#socket.close(code);
  }

  later(delayMs: number, action: () => void): void {
    if (!this.open) return;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      action();
      this.#onChange();
    }, delayMs);
    this.#timers.add(timer);
  }

  /** While silent, nothing is said and no ping is answered: a peer that is there but dead. */
  keepSilent(silent: boolean): void {
    this.#silent = silent;
  }

  /**
   * From now on the connection stays open and nothing passes: what is sent is lost, and what the client says is not heard.
   * It ends when the client gives it up or is idle for too long.
   */
  loseTouch(): void {
    this.#halfOpen = true;
    // Nor does what `ws` would answer by itself when the client closes.
    this.#wire.cork();
    this.#whenWritten?.();
  }

  /** Ends the connection without a close frame; what was not written yet is lost. */
  reset(): void {
    if (this.#wire instanceof Socket) this.#wire.resetAndDestroy();
    this.#socket.terminate();
  }

  /** Ends the connection with 1000 after the last frame; the client has every frame before the close. */
  async finish(): Promise<void> {
    await this.drained();
    this.close(1000);
    await this.ended;
  }
}
