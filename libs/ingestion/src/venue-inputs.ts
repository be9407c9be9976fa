import { planConnections, type OpenVenue, type Subscription } from '@aipx/venue';
import { ConnectLimiter } from '@aipx/websocket-client';
import type { ConnectionOverrides } from './connection-settings.js';
import type { VenueInput } from './venue-connection.js';

/** What a user may set of a venue's connections. */
export interface VenueInputSettings extends ConnectionOverrides {
  /** Levels a side. @default the driver's */
  readonly bookDepth?: number;
}

/**
 * The connections to be made to an opened venue. All share what they remember, and the turns in which they are made.
 *
 * @throws {MarketDataError} `CONFIG_INVALID` for more streams than the venue's keys carry
 */
export function venueInputs(
  open: OpenVenue,
  subscriptions: readonly Subscription[],
  { bookDepth, reconnect, keepAliveEveryMs, silenceTimeoutMs }: VenueInputSettings = {},
): readonly VenueInput[] {
  const { driver, websocketUrl } = open;
  const memory = driver.newMemory?.();
  const shared = {
    driver,
    websocketUrl,
    connectLimiter: new ConnectLimiter(driver.defaults.connectLimit),
    ...(memory && { memory }),
    ...(bookDepth !== undefined && { bookDepth }),
    ...(reconnect && { reconnect }),
    ...(keepAliveEveryMs !== undefined && { keepAliveEveryMs }),
    ...(silenceTimeoutMs !== undefined && { silenceTimeoutMs }),
  };
  return planConnections(open, subscriptions).map((plan) => ({ ...plan, ...shared }));
}
