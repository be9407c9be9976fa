import type { Nanoseconds } from '@aipx/market-model';
import type { VenueDriver } from '@aipx/venue';

type Hours = Pick<VenueDriver, 'mayHaveSent' | 'dataExpectedFrom'>;

export interface SessionNews {
  readonly hasBegun: boolean;
  /** A session is over for the next one, or is the day's last and nothing of it can come any more. */
  readonly hasEnded: boolean;
  /** The latter. */
  readonly isDayOver: boolean;
}

/** Notices, when it looks about once a second, that sessions of a venue begin and end. */
export class SessionWatch {
  readonly #hours: Hours;
  #mayCome = false;
  #next: Nanoseconds | undefined;

  constructor(hours: Hours) {
    this.#hours = hours;
  }

  look(now: Nanoseconds): SessionNews {
    const { mayHaveSent, dataExpectedFrom } = this.#hours;
    const next = dataExpectedFrom?.(now);
    const mayCome = mayHaveSent === undefined || mayHaveSent({ from: now, to: now }) !== undefined;
    const hasBegun = next !== this.#next;
    const isDayOver = this.#mayCome && !mayCome;
    const hasEnded = this.#mayCome && (hasBegun || isDayOver);
    this.#next = next;
    this.#mayCome = mayCome;
    return { hasBegun, hasEnded, isDayOver };
  }
}
