import type { Nanoseconds } from '@aipx/market-model';
import type { VenueHours } from './absences.js';
import type { ListenedUntil } from './listened-until.js';
import type { Publisher } from './publisher.js';
import type { VenueFeed } from './venue-feed.js';

/** A venue whose hours may be known, and what comes of all connections to it. */
export interface ClosingVenue {
  readonly id: string;
  readonly hours: VenueHours;
  readonly feeds: readonly Pick<VenueFeed, 'heardUntil' | 'wholeUntil'>[];
}

export interface ClosingWordOptions {
  readonly venues: readonly ClosingVenue[];
  readonly publisher: Pick<Publisher, 'hasKeptAllOf'>;
  readonly listenedUntil: ListenedUntil;
}

interface Word {
  readonly at: Nanoseconds;
  readonly streams: number;
}

/**
 * Leaves word behind the end of each session that a venue was listened to until then, as a process does that ends in order: one that is
 * killed in the hours in which the venue cannot send has missed nothing.
 */
export class ClosingWord {
  readonly #options: ClosingWordOptions;
  readonly #left = new Map<string, Word>();

  constructor(options: ClosingWordOptions) {
    this.#options = options;
  }

  /** Looks whether the time has come. Called every few seconds. */
  look(now: Nanoseconds): void {
    for (const venue of this.#options.venues) if (venue.hours.mayHaveSent !== undefined) this.#lookAt(venue, now);
  }

  #lookAt({ id, hours, feeds }: ClosingVenue, now: Nanoseconds): void {
    const { publisher, listenedUntil } = this.#options;
    const at = earliest(feeds.map((feed) => feed.heardUntil(now)));
    if (at === undefined || mayCome(hours, at, at) || !publisher.hasKeptAllOf(id)) return;
    const whole = feeds.flatMap((feed) => feed.wholeUntil(at));
    const last = this.#left.get(id);
    const isLeft = last !== undefined && whole.length <= last.streams && !mayCome(hours, last.at, at);
    if (isLeft || whole.length === 0) return;
    this.#left.set(id, { at, streams: whole.length });
    listenedUntil.save(
      whole.map((subscription) => [id, subscription] as const),
      at,
    );
  }
}

function mayCome({ mayHaveSent }: VenueHours, from: Nanoseconds, to: Nanoseconds): boolean {
  return mayHaveSent?.({ from, to }) !== undefined;
}

/** `undefined` where one is. */
function earliest(times: readonly (Nanoseconds | undefined)[]): Nanoseconds | undefined {
  let first = times[0];
  for (const time of times) if (time === undefined || (first !== undefined && time < first)) first = time;
  return first;
}
