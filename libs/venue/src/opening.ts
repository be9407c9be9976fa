import type { ConnectionAccess } from './access.js';
import type { Subscription, VenueDriver } from './driver.js';

/** A venue as one process uses it: configured, and with what it takes to be let in. */
export interface OpenVenue {
  readonly driver: VenueDriver;
  readonly websocketUrl: string;
  readonly apiUrl: string;
  /** Leave to connect, one a connection. Absent where the venue asks for none, and one connection carries everything. */
  readonly accesses?: readonly ConnectionAccess[];
  /** How it was opened, in sentences for the log; nothing secret. */
  readonly notes: readonly string[];
  readonly metrics: readonly VenueMetric[];
  /** What is known already; never waits. */
  status(): OpenVenueStatus;
  /** Gives back what is held, so that another process has it at once. Close the connections first. Never throws. */
  close(): Promise<void>;
}

export interface OpenVenueStatus {
  /** What must come before the venue can be connected to: `account "main": Redis at localhost:6379 does not answer`. */
  readonly waitsFor: readonly string[];
  /** What somebody must mend, since data is missed until then. Absent where that is nothing. */
  readonly faults?: readonly string[];
  /** What no longer guards the data that comes: somebody should look. Absent where that is nothing. */
  readonly risks?: readonly string[];
}

/** A metric that only this venue has. */
export interface VenueMetric {
  /** The venue's id first, the unit last: `kis_token_age_seconds`. */
  readonly name: string;
  readonly help: string;
  readonly kind: 'counter' | 'gauge';
  readonly labels: readonly string[];
  read(): readonly { readonly labels: Readonly<Record<string, string>>; readonly value: number }[];
}

/** One connection to be made: what goes by it, and whose leave it takes. */
export interface ConnectionPlan {
  readonly subscriptions: readonly Subscription[];
  readonly access?: ConnectionAccess;
}

/**
 * Which streams go by which connection.
 *
 * @throws {MarketDataError} `CONFIG_INVALID` for more streams than the keys carry, saying how many it takes
 */
export function planConnections(
  { driver, accesses }: Pick<OpenVenue, 'driver' | 'accesses'>,
  subscriptions: readonly Subscription[],
): readonly ConnectionPlan[] {
  if (accesses === undefined) return [{ subscriptions }];
  const lists = driver.spread?.(subscriptions, accesses.length) ?? [subscriptions];
  return lists.map((list, index) => {
    const access = accesses[index];
    return { subscriptions: list, ...(access && { access }) };
  });
}
