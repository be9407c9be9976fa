import { MarketDataError } from '@aipx/market-model';
import type { Subscription } from '@aipx/venue';

/** Registrations that one session takes, of all streams together (portal's notices of 2025-08-07 and 2026-04-20). */
export const MAX_REGISTRATIONS = 41;

/**
 * Which streams go by which key, at most 41 registrations each. What belongs to one symbol goes together.
 *
 * @param marketOperations whether each symbol takes one registration more, for its market operations
 * @throws {MarketDataError} `CONFIG_INVALID`, saying how many keys it takes
 */
export function spread(
  subscriptions: readonly Subscription[],
  keys: number,
  marketOperations: boolean,
): readonly (readonly Subscription[])[] {
  const lists: { readonly streams: Subscription[]; registrations: number }[] = [];
  const bySymbol = Map.groupBy(subscriptions, ({ symbol }) => symbol);
  for (const ofSymbol of bySymbol.values()) {
    const needed = ofSymbol.length + (marketOperations ? 1 : 0);
    let list = lists.find(({ registrations }) => registrations + needed <= MAX_REGISTRATIONS);
    if (list === undefined) lists.push((list = { streams: [], registrations: 0 }));
    list.streams.push(...ofSymbol);
    list.registrations += needed;
  }
  if (lists.length <= keys) return lists.map(({ streams }) => streams);
  const operations = marketOperations ? ` and the market operations of ${bySymbol.size} symbols` : '';
  throw new MarketDataError(
    'CONFIG_INVALID',
    `${subscriptions.length} streams of KIS${operations} take ${lists.length} app keys, ${MAX_REGISTRATIONS} registrations ` +
      `each, and there ${keys === 1 ? 'is 1' : `are ${keys}`}: configure more keys in KIS_ACCOUNTS_FILE, or fewer markets or channels`,
    { context: { streams: subscriptions.length, keys, needed: lists.length } },
  );
}
