import { asMarketDataError, MarketDataError } from '@aipx/market-model';
import type { Subscription } from '@aipx/venue';
import { venueById, venues, type RegisteredVenue } from '@aipx/venue-registry';

/** What is asked of one venue. */
export interface VenuePlan {
  readonly venue: RegisteredVenue;
  /** The venue's own codes, each once, in the order given. */
  readonly symbols: readonly string[];
  readonly subscriptions: readonly Subscription[];
}

export interface MarketChoice {
  readonly venue: string | undefined;
  readonly markets: readonly string[] | undefined;
  /** Codes of a venue when nobody names any; an empty answer leaves the venue out. */
  readonly otherwise: (venue: RegisteredVenue) => Promise<readonly string[]>;
}

/**
 * The plan of each venue that takes part.
 *
 * @throws {MarketDataError} `CONFIG_UNKNOWN_VENUE`, `CONFIG_SYMBOL` or `CONFIG_INVALID`, naming the value
 */
export async function planMarkets(choice: MarketChoice): Promise<readonly VenuePlan[]> {
  const chosen = choice.venue === undefined ? Object.values<RegisteredVenue>(venues) : [venueById(choice.venue)];
  if (choice.markets !== undefined) return planOf(namedCodes(choice.markets, chosen));
  const codes = await Promise.all(chosen.map(async (venue) => [venue, await choice.otherwise(venue)] as const));
  return planOf(new Map(codes.filter(([, symbols]) => symbols.length > 0)));
}

/** Codes as given, `KRW-BTC` or `upbit:KRW-BTC`, by venue. */
function namedCodes(
  markets: readonly string[],
  chosen: readonly RegisteredVenue[],
): Map<RegisteredVenue, readonly string[]> {
  const byVenue = new Map<RegisteredVenue, string[]>();
  for (const market of markets) {
    const colon = market.indexOf(':');
    const venue = colon === -1 ? venueOfCode(market, chosen) : prefixedVenue(market, market.slice(0, colon), chosen);
    const symbol = venue.driver.parseSymbol(market.slice(colon + 1));
    byVenue.set(venue, [...(byVenue.get(venue) ?? []), symbol]);
  }
  return byVenue;
}

/** Venues spell their codes differently: `KRW-BTC` can be of one, `005930` of another. */
function venueOfCode(market: string, chosen: readonly RegisteredVenue[]): RegisteredVenue {
  const refusals = chosen.map((venue) => refusalOf(market, venue));
  const readers = chosen.filter((_, at) => refusals[at] === undefined);
  const [venue] = readers;
  if (venue !== undefined && readers.length === 1) return venue;
  const ids = readers.map((each) => each.driver.id);
  throw venue === undefined
    ? new MarketDataError('CONFIG_SYMBOL', refusals.join('; '))
    : new MarketDataError(
        'CONFIG_INVALID',
        `--markets ${market}: which venue? Write ${ids[0]}:${market} (${ids.join(', ')})`,
      );
}

/** Why it is no code of the venue; `undefined` when it is one. */
function refusalOf(market: string, { driver }: RegisteredVenue): string | undefined {
  try {
    driver.parseSymbol(market);
    return undefined;
  } catch (cause) {
    return asMarketDataError(cause, 'CONFIG_SYMBOL').message;
  }
}

function prefixedVenue(market: string, prefix: string, chosen: readonly RegisteredVenue[]): RegisteredVenue {
  const venue = venueById(prefix);
  if (!chosen.includes(venue)) {
    throw new MarketDataError(
      'CONFIG_INVALID',
      `--markets ${market} is a market of ${prefix}, but --venue says ${chosen.map((each) => each.driver.id).join(', ')}`,
    );
  }
  return venue;
}

function planOf(byVenue: ReadonlyMap<RegisteredVenue, readonly string[]>): readonly VenuePlan[] {
  return [...byVenue].map(([venue, codes]) => {
    const symbols = [...new Set(codes)];
    const subscriptions = symbols.flatMap((symbol): Subscription[] => [
      { symbol, channel: 'tick' },
      { symbol, channel: 'orderbook' },
    ]);
    return { venue, symbols, subscriptions };
  });
}
