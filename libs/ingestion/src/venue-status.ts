import type { MarketDataError, Nanoseconds } from '@aipx/market-model';
import type { ConnectionState } from '@aipx/websocket-client';
import { zeroVenueCounts, type VenueCounts } from './counts.js';
import type { StreamStatus, SubscriptionState } from './subscription-states.js';
import type { VenueConnection } from './venue-connection.js';

/** One connection to a venue, with the streams that go by it. */
export interface ConnectionStatus {
  readonly state: ConnectionState;
  /** When the present state began. */
  readonly since: Nanoseconds;
  /** Not connected on purpose, since the venue sends nothing: until when, if that is known. */
  readonly rest: { readonly until: Nanoseconds | undefined } | undefined;
  /** It waits for another process, which has what this one would take over. */
  readonly isStandingBy: boolean;
  /** Why there is no connection. */
  readonly lastError: MarketDataError | undefined;
  readonly lastFrameAt: Nanoseconds | undefined;
  readonly streams: readonly StreamStatus[];
}

export interface VenueIngestionStatus {
  /** Of several connections the worst. */
  readonly state: ConnectionState;
  /** When the present state began. */
  readonly since: Nanoseconds;
  /** Not connected on purpose, since the venue sends nothing: until when, if that is known. */
  readonly rest: { readonly until: Nanoseconds | undefined } | undefined;
  /** Why there is no connection. */
  readonly lastError: MarketDataError | undefined;
  /** How often a lost connection was replaced by a new one. */
  readonly reconnects: number;
  /** Of any connection. */
  readonly lastFrameAt: Nanoseconds | undefined;
  readonly counts: Readonly<VenueCounts>;
  /** Codes of which nothing came. */
  readonly silent: readonly string[];
  /** Codes that were regular and have fallen silent among busy ones. */
  readonly stale: readonly string[];
  /** Streams that the venue does not send, or no more, as it says: `005930 (orderbook)`. */
  readonly refused: readonly string[];
  /** Streams that the venue has not answered for in time. */
  readonly unanswered: readonly string[];
  /** Codes in which trading stands still, as the venue says. */
  readonly halted: readonly string[];
  /** Each subscribed stream and whether data comes of it. */
  readonly streams: readonly StreamStatus[];
  readonly connections: readonly ConnectionStatus[];
}

/** Worst first. */
const BY_TROUBLE: readonly ConnectionState[] = ['FAILED', 'DISCONNECTED', 'RECONNECTING', 'CONNECTING', 'CONNECTED'];

/** All connections to one venue as one, the one in most trouble speaking for them. */
export function venueStatus(connections: readonly VenueConnection[]): VenueIngestionStatus {
  const [worst] = connections.toSorted((a, b) => BY_TROUBLE.indexOf(a.state) - BY_TROUBLE.indexOf(b.state));
  if (worst === undefined) throw new RangeError('a venue has one connection at least');
  const statuses = connections.map(connectionStatus);
  const streams = statuses.flatMap((status) => status.streams);
  const symbolsIn = (wanted: SubscriptionState) =>
    new Set(streams.filter(({ state }) => state === wanted).map(({ symbol }) => symbol));
  const streamsIn = (wanted: SubscriptionState) =>
    streams.filter(({ state }) => state === wanted).map(({ symbol, channel }) => `${symbol} (${channel})`);
  return {
    state: worst.state,
    since: worst.since,
    rest: connections.every(({ isResting }) => isResting) ? { until: worst.restsUntil } : undefined,
    lastError: worst.error,
    reconnects: connections.reduce((sum, { reconnects }) => sum + reconnects, 0),
    lastFrameAt: latest(connections.map(({ feed }) => feed.lastFrameAt)),
    counts: sum(connections.map(({ feed }) => feed.counts)),
    silent: [...new Set(connections.flatMap((connection) => connection.silentSymbols()))],
    stale: [...symbolsIn('stale')],
    refused: streamsIn('refused'),
    unanswered: streamsIn('unanswered'),
    halted: [...symbolsIn('halted')],
    streams,
    connections: statuses,
  };
}

function connectionStatus(connection: VenueConnection): ConnectionStatus {
  const { state, since, isResting, restsUntil, isStandingBy, error, feed } = connection;
  return {
    state,
    since,
    rest: isResting ? { until: restsUntil } : undefined,
    isStandingBy,
    lastError: error,
    lastFrameAt: feed.lastFrameAt,
    streams: connection.streams(),
  };
}

function latest(times: readonly (Nanoseconds | undefined)[]): Nanoseconds | undefined {
  return times.reduce(
    (last, time) => (time !== undefined && (last === undefined || time > last) ? time : last),
    undefined,
  );
}

function sum(counts: readonly Readonly<VenueCounts>[]): VenueCounts {
  const total = zeroVenueCounts();
  for (const each of counts) {
    for (const name of Object.keys(total) as (keyof VenueCounts)[]) total[name] += each[name];
  }
  return total;
}
