import { MarketDataError } from '@aipx/market-model';
import type { Subscription } from '@aipx/venue';

/** Registrations that one session takes, of all streams together (portal's notices of 2025-08-07 and 2026-04-20). */
export const MAX_REGISTRATIONS = 41;

/**
 * Which streams go by which key, at most 41 each. What belongs to one symbol goes together as far as it fits.
 *
 * @throws {MarketDataError} `CONFIG_INVALID`, saying how many keys it takes
 */
export function spread(subscriptions: readonly Subscription[], keys: number): readonly (readonly Subscription[])[] {
  const lists: Subscription[][] = [];
  for (const ofSymbol of Map.groupBy(subscriptions, ({ symbol }) => symbol).values()) {
    const roomy = lists.find((list) => list.length + ofSymbol.length <= MAX_REGISTRATIONS);
    if (roomy === undefined) lists.push([...ofSymbol]);
    else roomy.push(...ofSymbol);
  }
  if (lists.length <= keys) return lists;
  throw new MarketDataError(
    'CONFIG_INVALID',
    `${subscriptions.length} streams of KIS take ${lists.length} app keys, ${MAX_REGISTRATIONS} streams each, and there ` +
      `${keys === 1 ? 'is 1' : `are ${keys}`}: configure more keys in KIS_ACCOUNTS_FILE, or fewer markets or channels`,
    { context: { streams: subscriptions.length, keys, needed: lists.length } },
  );
}
