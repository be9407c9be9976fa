import { MarketDataError } from '@aipx/market-model';
import type { Subscription, Venue } from '@aipx/venue';
import { venueById, venues } from '@aipx/venue-registry';

/** What is asked of one venue. */
export interface VenuePlan {
  readonly venue: Venue;
  /** The venue's own codes, each once, in the order given. */
  readonly symbols: readonly string[];
  readonly subscriptions: readonly Subscription[];
}

export interface MarketChoice {
  readonly venue: string | undefined;
  readonly markets: readonly string[] | undefined;
  /** Codes of a venue when nobody names any; an empty answer leaves the venue out. */
  readonly otherwise: (venue: Venue) => Promise<readonly string[]>;
}

/**
 * The plan of each venue that takes part.
 *
 * @throws {MarketDataError} `CONFIG_UNKNOWN_VENUE`, `CONFIG_SYMBOL` or `CONFIG_INVALID`, naming the value
 */
export async function planMarkets(choice: MarketChoice): Promise<readonly VenuePlan[]> {
  const chosen = choice.venue === undefined ? Object.values<Venue>(venues) : [venueById(choice.venue)];
  if (choice.markets !== undefined) return planOf(namedCodes(choice.markets, chosen));
  const codes = await Promise.all(chosen.map(async (venue) => [venue, await choice.otherwise(venue)] as const));
  return planOf(new Map(codes.filter(([, symbols]) => symbols.length > 0)));
}

/** Codes as given, `KRW-BTC` or `upbit:KRW-BTC`, by venue. */
function namedCodes(markets: readonly string[], chosen: readonly Venue[]): Map<Venue, readonly string[]> {
  const byVenue = new Map<Venue, string[]>();
  for (const market of markets) {
    const colon = market.indexOf(':');
    const venue = colon === -1 ? onlyVenue(market, chosen) : prefixedVenue(market, market.slice(0, colon), chosen);
    const symbol = venue.driver.parseSymbol(market.slice(colon + 1));
    byVenue.set(venue, [...(byVenue.get(venue) ?? []), symbol]);
  }
  return byVenue;
}

function onlyVenue(market: string, chosen: readonly Venue[]): Venue {
  const [venue, another] = chosen;
  if (venue === undefined || another !== undefined) {
    const ids = chosen.map((each) => each.driver.id).join(', ');
    throw new MarketDataError(
      'CONFIG_INVALID',
      `--markets ${market}: which venue? Write ${venue?.driver.id}:${market} or give --venue (${ids})`,
    );
  }
  return venue;
}

function prefixedVenue(market: string, prefix: string, chosen: readonly Venue[]): Venue {
  const venue = venueById(prefix);
  if (!chosen.includes(venue)) {
    throw new MarketDataError(
      'CONFIG_INVALID',
      `--markets ${market} is a market of ${prefix}, but --venue says ${chosen.map((each) => each.driver.id).join(', ')}`,
    );
  }
  return venue;
}

function planOf(byVenue: ReadonlyMap<Venue, readonly string[]>): readonly VenuePlan[] {
  return [...byVenue].map(([venue, codes]) => {
    const symbols = [...new Set(codes)];
    const subscriptions = symbols.flatMap((symbol): Subscription[] => [
      { symbol, channel: 'tick' },
      { symbol, channel: 'orderbook' },
    ]);
    return { venue, symbols, subscriptions };
  });
}
