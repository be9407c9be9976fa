import type { Logger } from '@aipx/service';
import type { OpenVenue } from '@aipx/venue';

const LOOK_EVERY_MS = 1_000;
const AGAIN_AFTER_MS = 60_000;

/**
 * Tells what a venue cannot be connected to for, and what somebody must mend or should look at: once when it begins or changes, and
 * once when it is over. What somebody must do something about is told again every minute.
 */
export class WaitLog {
  readonly #logger: Logger;
  readonly #now: () => number;
  readonly #waits = new Map<string, string>();
  readonly #warnings = new Map<string, { readonly text: string; readonly toldAt: number }>();
  #timer: NodeJS.Timeout | undefined;

  /** @param now monotonic, ms */
  constructor(logger: Logger, now: () => number = () => performance.now()) {
    this.#logger = logger;
    this.#now = now;
  }

  start(venues: ReadonlyMap<string, Pick<OpenVenue, 'status'>>): void {
    this.#timer = setInterval(() => this.look(venues), LOOK_EVERY_MS).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  look(venues: ReadonlyMap<string, Pick<OpenVenue, 'status'>>): void {
    for (const [id, venue] of venues) {
      const { waitsFor, faults = [], risks = [] } = venue.status();
      this.#tellWaits(id, waitsFor.join('; '));
      this.#warn(id, [...faults, ...risks].join('; '));
    }
  }

  #tellWaits(venue: string, waitsFor: string): void {
    if (waitsFor === (this.#waits.get(venue) ?? '')) return;
    this.#waits.set(venue, waitsFor);
    this.#logger.info({ venue }, waitsFor === '' ? `${venue} waits no longer` : `${venue} waits: ${waitsFor}`);
  }

  #warn(venue: string, text: string): void {
    const { text: before, toldAt } = this.#warnings.get(venue) ?? { text: '', toldAt: 0 };
    const isNew = text !== before;
    if (!isNew && (text === '' || this.#now() - toldAt < AGAIN_AFTER_MS)) return;
    this.#warnings.set(venue, { text, toldAt: this.#now() });
    if (text === '') this.#logger.info({ venue }, `${venue}: no longer so: ${before}`);
    else this.#logger.warn({ venue }, `${venue}: ${text}`);
  }
}
