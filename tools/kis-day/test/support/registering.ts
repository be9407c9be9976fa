import type { EventLog } from '@aipx/event-log';
import { Ingestion, type StreamStatus } from '@aipx/ingestion';
import { type MarketDataError, type Gap } from '@aipx/market-model';
import { decodeEvent, EVENT_TOPICS } from '@aipx/market-proto';
import type { Subscription, VenueDefaults } from '@aipx/venue';
import { kisDriver, parseBusinessDate, SessionCalendar, type KisDriverOptions } from '@aipx/venue-kis';
import { testLog } from '@aipx/timescale/testing';
import { onTestFinished } from 'vitest';
import { startVenue, type RunningVenue } from './venue.js';
import { type Watch } from './watch.js';

export interface RegisteringOptions {
  readonly subscriptions: readonly Subscription[];
  readonly driver?: Pick<KisDriverOptions, 'segment' | 'marketOperations'>;
  readonly defaults?: Partial<VenueDefaults>;
  /** Events a second, of all streams together. */
  readonly rate: number;
  /** What KIS does otherwise, in the words of its simulator. */
  readonly faults?: readonly Readonly<Record<string, unknown>>[];
}

/** A session of KIS that asks for its streams, and what is told of them. */
export interface Registering {
  readonly venue: RunningVenue;
  readonly ingestion: Ingestion;
  /** `005930 refused: … (OPSP0007), again`, in order. */
  readonly told: readonly string[];
  readonly full: readonly MarketDataError[];
  /** Looks again with everything that is told. */
  readonly watch: Watch;
  streams(): readonly StreamStatus[];
  /** Closes the connection; what was missed until then is in the log. */
  finish(): Promise<readonly Gap[]>;
}

export async function startRegistering(options: RegisteringOptions): Promise<Registering> {
  const { subscriptions, rate, faults = [] } = options;
  const venue = await startVenue({}, { kind: 'market', seed: 1, rate });
  for (const own of faults) venue.host.inject({ fault: 'venue', own });
  const log = await testLog(1);
  const secret = await approvalKey(venue.host.apiUrl);
  const told: string[] = [];
  const full: MarketDataError[] = [];
  const { watch } = venue;
  const tell =
    (what: string) =>
    (_: string, { symbol }: Subscription, error: MarketDataError, retryInMs?: number) => {
      const code = error.context['code'] ?? error.code;
      told.push(`${symbol} ${what}: ${code}${retryInMs === undefined ? '' : ', again'}`);
      watch.changed();
    };
  const driver = kisDriver({ calendar: openDays(), ...options.driver });
  const ending = new AbortController();
  const ingestion = new Ingestion({
    log,
    venues: [
      {
        driver: { ...driver, defaults: { ...driver.defaults, ...options.defaults } },
        websocketUrl: venue.host.websocketUrl,
        subscriptions,
        access: {
          enter: () =>
            Promise.resolve({
              secret,
              lost: new AbortController().signal,
              confirmed: () => undefined,
              left: () => undefined,
            }),
        },
      },
    ],
    signal: ending.signal,
    hooks: {
      onRefused: tell('refused'),
      onUnanswered: tell('unanswered'),
      onFull: (_, error) => full.push(error),
      onStale: (_, stale) => {
        told.push(...stale.map(({ symbol, channel }) => `${symbol} (${channel}) stale`));
        watch.changed();
      },
      onProcessed: () => watch.changed(),
    },
  });
  onTestFinished(() => ending.abort());
  await ingestion.start();
  const finish = async () => {
    await ingestion.disconnect();
    await ingestion.drain();
    return gapsIn(log);
  };
  const streams = () => ingestion.status().venues['kis']?.streams ?? [];
  return { venue, ingestion, told, full, watch, streams, finish };
}

async function approvalKey(apiUrl: string): Promise<string> {
  const body = JSON.stringify({ grant_type: 'client_credentials', appkey: 'A', secretkey: 'S' });
  const response = await fetch(`${apiUrl}/oauth2/Approval`, { method: 'POST', body });
  return ((await response.json()) as { approval_key: string }).approval_key;
}

async function gapsIn(log: EventLog): Promise<readonly Gap[]> {
  const partition = { topic: EVENT_TOPICS.gap, partition: 0 };
  const records = await log.read(partition, 0n, { maxRecords: 1_000, maxBytes: 1e6 });
  return records.flatMap(({ value }) => {
    const event = decodeEvent('gap', value);
    return event.kind === 'gap' ? [event] : [];
  });
}

/** Data may come at any time of our clock. */
function openDays(): SessionCalendar {
  const today = Temporal.Now.plainDateISO('Asia/Seoul');
  const days = [-1, 0, 1].map((add) => today.add({ days: add }).toString().replaceAll('-', ''));
  const open = { opening: 0, closing: 24 * 60, nxtPreMarket: true };
  return new SessionCalendar(new Map(days.map((date) => [parseBusinessDate(date), open])));
}
