import type { OpenVenue, Subscription } from '@aipx/venue';
import type { OwnValues, VenueContext } from './opening.js';
import { venueById } from './registry.js';

/**
 * Opens a venue for this process. Nothing is connected to yet, and what it needs may be away: leave to connect is then waited for.
 *
 * @param own values of the venue's settings
 * @throws {MarketDataError} `CONFIG_*` for what no waiting mends
 */
export async function openVenue(id: string, own: OwnValues, context: VenueContext): Promise<OpenVenue> {
  const { driver, opening } = venueById(id);
  if (opening !== undefined) return await opening.open(own, context);
  const { websocketUrl, apiUrl } = context;
  return {
    driver,
    websocketUrl,
    apiUrl,
    notes: [],
    metrics: [],
    status: () => ({ waitsFor: [] }),
    close: () => Promise.resolve(),
  };
}

/** Opens a venue against a simulator, with as many made-up keys as these streams take where it takes any. */
export function openSimulatedVenue(
  id: string,
  context: Omit<VenueContext, 'redis' | 'keepSecret'>,
  subscriptions: readonly Subscription[],
): Promise<OpenVenue> {
  const { driver, opening } = venueById(id);
  const connections = driver.spread?.(subscriptions, Number.POSITIVE_INFINITY).length ?? 1;
  return openVenue(id, opening?.simulated(Math.max(1, connections)) ?? {}, context);
}
