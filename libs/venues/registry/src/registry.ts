import { MarketDataError } from '@aipx/market-model';
import { upbit } from '@aipx/venue-upbit';
import { kis } from './kis/kis.js';
import type { RegisteredVenue } from './opening.js';

/** Every venue of the platform, one line each: by its driver's id, as in settings, events and metrics. */
export const venues = {
  upbit,
  kis,
} as const satisfies Record<string, RegisteredVenue>;

export type VenueId = keyof typeof venues;

/** @throws {MarketDataError} `CONFIG_UNKNOWN_VENUE`, naming the text and the venues there are */
export function venueById(id: string): RegisteredVenue {
  if (isVenueId(id)) return venues[id];
  const known = Object.keys(venues).join(', ');
  throw new MarketDataError('CONFIG_UNKNOWN_VENUE', `unknown venue ${JSON.stringify(id)}; expected one of: ${known}`);
}

function isVenueId(id: string): id is VenueId {
  return Object.hasOwn(venues, id);
}
