import type { Subscription, VenueDriver } from '@aipx/venue';

/** What goes by each key, in the order of the keys and as `planConnections` plans it: `KRX 005930 orderbook`. */
export function takesOf(
  driver: VenueDriver,
  segment: string,
  subscriptions: readonly Subscription[],
  keys: number,
): readonly (readonly string[])[] {
  const lists = driver.spread?.(subscriptions, keys) ?? [subscriptions];
  return lists.map((list) => list.map(({ symbol, channel }) => `${segment} ${symbol} ${channel}`));
}
