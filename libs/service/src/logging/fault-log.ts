import type { MarketDataError } from '@aipx/market-model';
import type { Logger } from './logger.js';

const AGAIN_AFTER_MS = 10_000;

/**
 * Tells of faults that come again and again while something is away: the first of its kind at once, then one every ten
 * seconds with the number of those in between.
 */
export class FaultLog {
  readonly #logger: Logger;
  readonly #now: () => number;
  readonly #kinds = new Map<string, { toldAt: number; untold: number }>();

  /** @param now monotonic, ms */
  constructor(logger: Logger, now: () => number = () => performance.now()) {
    this.#logger = logger;
    this.#now = now;
  }

  /** @param what the part that failed, as the message begins */
  tell(what: string, error: MarketDataError): void {
    const kind = `${what} ${error.code}`;
    const seen = this.#kinds.get(kind);
    if (seen !== undefined && this.#now() - seen.toldAt < AGAIN_AFTER_MS) {
      seen.untold += 1;
      return;
    }
    // One entry a part and code: bounded.
    this.#kinds.set(kind, { toldAt: this.#now(), untold: 0 });
    const more = seen === undefined || seen.untold === 0 ? '' : ` (and ${seen.untold} times since it was last told)`;
    this.#logger.warn({ code: error.code, error }, `${what}: ${error.message}${more}`);
  }
}
