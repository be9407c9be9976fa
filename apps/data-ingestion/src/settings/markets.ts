import { asMarketDataError, type Channel } from '@aipx/market-model';
import { choice, list, rule, text, type SettingsTree } from '@aipx/service';
import type { Subscription, Venue } from '@aipx/venue';
import { venueById, venues, type VenueId } from '@aipx/venue-registry';

/** What is asked of one venue. */
export interface VenueMarkets {
  readonly venue: Venue;
  /** The venue's own codes, each once, in the order given. */
  readonly symbols: readonly string[];
  /** Each symbol on each channel. */
  readonly subscriptions: readonly Subscription[];
}

const VENUE_IDS = Object.keys(venues) as [VenueId, ...VenueId[]];

export const marketSettings = {
  markets: {
    env: 'MARKETS',
    type: list(text('a market as venue:code')),
    required: true,
    example: 'upbit:KRW-BTC,upbit:KRW-ETH',
    describe: 'What to collect, as venue:code; with VENUE the code is enough',
    flag: '--markets <codes>',
  },
  venue: {
    env: 'VENUE',
    type: choice(...VENUE_IDS),
    describe: 'The venue of those MARKETS that name none',
    flag: '--venue <id>',
  },
  marketChannels: {
    env: 'MARKET_CHANNELS',
    type: list(choice('tick', 'orderbook')),
    default: 'tick,orderbook',
    describe: 'What to collect of each market',
  },
} as const satisfies SettingsTree;

/** Every market names its venue, and its venue can read its code. */
export const marketRules = [
  rule([marketSettings.markets, marketSettings.venue], (markets, venue) =>
    readMarkets(markets, venue).faults.map((says) => ({ setting: marketSettings.markets, says })),
  ),
];

/** @param channels as given; duplicates are merged */
export function venueMarkets(
  markets: readonly string[],
  venue: VenueId | undefined,
  channels: readonly Channel[],
): readonly VenueMarkets[] {
  return [...readMarkets(markets, venue).codes].map(([id, codes]) => {
    const symbols = [...codes];
    const subscriptions = symbols.flatMap((symbol) => [...new Set(channels)].map((channel) => ({ symbol, channel })));
    return { venue: venueById(id), symbols, subscriptions };
  });
}

/** Whether anything of the venue is to be collected. */
export function isAskedFor(id: string, markets: readonly string[], venue: VenueId | undefined): boolean {
  return readMarkets(markets, venue).codes.has(id);
}

interface MarketReading {
  /** By venue id, each code once, in the order given. */
  readonly codes: ReadonlyMap<string, ReadonlySet<string>>;
  /** Each a sentence with the market and what would be right. */
  readonly faults: readonly string[];
}

function readMarkets(markets: readonly string[], venue: VenueId | undefined): MarketReading {
  const codes = new Map<string, Set<string>>();
  const faults: string[] = [];
  for (const market of markets) {
    const colon = market.indexOf(':');
    const id = colon === -1 ? venue : market.slice(0, colon).trim().toLowerCase();
    if (id === undefined) {
      faults.push(withoutVenue(market));
      continue;
    }
    try {
      const symbol = venueById(id).driver.parseSymbol(market.slice(colon + 1).trim());
      codes.set(id, (codes.get(id) ?? new Set()).add(symbol));
    } catch (cause) {
      faults.push(`${JSON.stringify(market)}: ${asMarketDataError(cause, 'CONFIG_SYMBOL').message}`);
    }
  }
  return { codes, faults };
}

function withoutVenue(market: string): string {
  const [first] = VENUE_IDS;
  return `${JSON.stringify(market)} names no venue: write ${first}:${market}, or give --venue ${first} (there are: ${VENUE_IDS.join(', ')})`;
}
