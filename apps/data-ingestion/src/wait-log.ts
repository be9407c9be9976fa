import type { Logger } from '@aipx/service';
import type { OpenVenue } from '@aipx/venue';

const LOOK_EVERY_MS = 1_000;

/** Tells what a venue cannot be connected to for: once when a wait begins or changes, and once when it is over. */
export class WaitLog {
  readonly #logger: Logger;
  readonly #told = new Map<string, string>();
  #timer: NodeJS.Timeout | undefined;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  start(venues: ReadonlyMap<string, OpenVenue>): void {
    this.#timer = setInterval(() => {
      for (const [id, venue] of venues) this.#look(id, venue.status().waitsFor.join('; '));
    }, LOOK_EVERY_MS).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(venue: string, waitsFor: string): void {
    if (waitsFor === (this.#told.get(venue) ?? '')) return;
    this.#told.set(venue, waitsFor);
    this.#logger.info({ venue }, waitsFor === '' ? `${venue} waits no longer` : `${venue} waits: ${waitsFor}`);
  }
}
