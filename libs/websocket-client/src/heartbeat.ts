import type { KeepAlive } from '@aipx/market-model';
import { SilenceWatchdog } from './watchdog.js';

/** Sends keepalives, and notices where the venue answers them that one was not answered. */
export class Heartbeat {
  readonly #everyMs: number;
  readonly #send: () => void;
  readonly #pongWatch: SilenceWatchdog | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isAwaiting = false;
  #isPaused = false;

  constructor({ everyMs, pongTimeoutMs }: KeepAlive, send: () => void, onUnanswered: () => void) {
    this.#everyMs = everyMs;
    this.#send = send;
    if (pongTimeoutMs !== undefined) this.#pongWatch = new SilenceWatchdog(pongTimeoutMs, onUnanswered);
  }

  start(): void {
    this.#timer = setInterval(() => this.#beat(), this.#everyMs);
  }

  /** The other end is there: it answered, or sent anything else. */
  heard(): void {
    if (!this.#isAwaiting) return;
    this.#isAwaiting = false;
    this.#pongWatch?.stop();
  }

  /** Keepalives go on; an answer is not expected, since nobody reads it. */
  pause(): void {
    this.#isPaused = true;
    this.heard();
  }

  resume(): void {
    this.#isPaused = false;
  }

  stop(): void {
    clearInterval(this.#timer);
    this.heard();
  }

  #beat(): void {
    this.#send();
    // The time counts from the first keepalive without an answer.
    if (this.#pongWatch === undefined || this.#isPaused || this.#isAwaiting) return;
    this.#isAwaiting = true;
    this.#pongWatch.start();
  }
}
