import type { ReconnectPolicy } from '@aipx/market-model';
import { LONGEST_TIMER_MS } from './options.js';

/** How long to wait before the next attempt, and whether there is to be one. */
export class Backoff {
  readonly #policy: ReconnectPolicy;
  readonly #random: () => number;
  #failures = 0;

  /** @param random from 0 to below 1 */
  constructor(policy: ReconnectPolicy, random: () => number) {
    this.#policy = policy;
    this.#random = random;
  }

  /** Connections and attempts that ended since the last `reset`. */
  get failures(): number {
    return this.#failures;
  }

  /**
   * Counts a failure and gives the wait, whole ms, before the next attempt: floor × factor for each failure before, at most
   * the cap, and a random share of that on top. `undefined`: the attempts are used up.
   */
  fail(): number | undefined {
    const { floorMs, capMs, factor, jitter, retries } = this.#policy;
    const before = this.#failures;
    this.#failures += 1;
    if (retries > 0 && before >= retries) return undefined;
    const wait = Math.min(capMs, floorMs * factor ** before);
    return Math.min(Math.ceil(wait * (1 + jitter * this.#random())), LONGEST_TIMER_MS);
  }

  reset(): void {
    this.#failures = 0;
  }
}
