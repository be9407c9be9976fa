import type { ConnectLimit } from '@aipx/market-model';
import type { ConnectGate, ConnectTurn } from './connect-gate.js';
import { checkConnectLimit } from './options.js';

interface Turn extends ConnectTurn {
  readonly start: () => void;
}

/**
 * Keeps a venue's limit of connection attempts, for all sockets that share it: in the order they asked, and never more than
 * the limit within its time.
 *
 * The venue counts an attempt somewhere between its first byte and its outcome. So a place is taken until the outcome is
 * known and for the limit's time after it: however long each way takes, the venue never sees more than it allows.
 */
export class ConnectLimiter implements ConnectGate {
  readonly #limit: ConnectLimit;
  readonly #nowMs: () => number;
  readonly #waiting = new Set<Turn>();
  readonly #running = new Set<Turn>();
  /** When the places of ended attempts come free again, ascending. */
  readonly #cooling: number[] = [];
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param nowMs a clock that never goes back, ms
   * @throws {MarketDataError} `CONFIG_INVALID`, naming the value and what would be right
   */
  constructor(limit: ConnectLimit, nowMs: () => number = () => performance.now()) {
    checkConnectLimit(limit);
    this.#limit = limit;
    this.#nowMs = nowMs;
  }

  /** Calls `start` once an attempt may begin: at once if a place is free, never if it is released before. */
  request(start: () => void): ConnectTurn {
    const turn: Turn = { start, release: () => this.#release(turn) };
    this.#waiting.add(turn);
    this.#admit();
    return turn;
  }

  #release(turn: Turn): void {
    const hasRun = this.#running.delete(turn);
    if (hasRun) this.#cooling.push(this.#nowMs() + this.#limit.perMs);
    if (hasRun || this.#waiting.delete(turn)) this.#admit();
  }

  #admit(): void {
    const now = this.#nowMs();
    while ((this.#cooling[0] ?? Infinity) <= now) this.#cooling.shift();
    for (const turn of this.#waiting) {
      if (this.#running.size + this.#cooling.length >= this.#limit.attempts) break;
      this.#waiting.delete(turn);
      this.#running.add(turn);
      turn.start();
    }
    clearTimeout(this.#timer);
    const [next] = this.#cooling;
    if (this.#waiting.size === 0 || next === undefined) return;
    // A timer may be early by a part of a millisecond; it then finds a place not free yet and waits again.
    this.#timer = setTimeout(() => this.#admit(), Math.ceil(next - now));
  }
}
