import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';

/** Frames sent before other work of the process gets its turn. */
export const BATCH_FRAMES = 128;
const TICK_MS = 4;
/** After a stall at most this much time is made up for, so that a slow reader never finds a backlog. */
const CATCH_UP_MS = 250;

/** Turns elapsed time into a number of frames. */
export class Pace {
  readonly #perMs: number;
  readonly #most: number;
  #credit = 0;
  #creditedAt = performance.now();

  /** @param rate frames a second, or as many as the clients take */
  constructor(rate: number | 'max') {
    this.#perMs = rate === 'max' ? Number.POSITIVE_INFINITY : rate / 1000;
    this.#most = Math.max(1, this.#perMs * CATCH_UP_MS);
  }

  /** How many frames may be sent now, up to one batch. */
  due(): number {
    const now = performance.now();
    if (this.#perMs === Number.POSITIVE_INFINITY) return BATCH_FRAMES;
    this.#credit = Math.min(this.#credit + (now - this.#creditedAt) * this.#perMs, this.#most);
    this.#creditedAt = now;
    return Math.min(BATCH_FRAMES, Math.max(0, Math.floor(this.#credit)));
  }

  spend(frames: number): void {
    this.#credit -= frames;
  }

  /** Time that passed unused is not made up for. */
  restart(): void {
    this.#creditedAt = performance.now();
  }

  /**
   * A few ms, or only a turn of the event loop when more is due already.
   *
   * @param sent frames since the last pause; none although some were due: the market rests, and so does its player
   */
  async pause(signal: AbortSignal, sent: number): Promise<void> {
    if (sent > 0 && (this.#credit >= 1 || this.#perMs === Number.POSITIVE_INFINITY)) await nextTurn();
    else await pause(TICK_MS, signal);
  }
}

/** Resolves after `ms`, or at once when the signal is aborted. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal });
  } catch {
    // Aborted: every caller looks at the signal next.
  }
}
