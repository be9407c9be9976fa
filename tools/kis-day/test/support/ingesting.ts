import { join } from 'node:path';
import type { EventLog } from '@aipx/event-log';
import { Ingestion } from '@aipx/ingestion';
import { KisAccess, KisAccount, KisAccounts, KisAuth, type Clock, type KisKey } from '@aipx/kis-auth';
import type { Subscription, TradingNews, VenueDriver } from '@aipx/venue';
import { kisDriver, parseBusinessDate, SessionCalendar, type TradingDay } from '@aipx/venue-kis';
import { onTestFinished } from 'vitest';
import type { RunningVenue } from './venue.js';
import { Watch } from './watch.js';

export const APP_KEY = 'PSmadeUpAppKeyOfThirtySixCharacters0';
const SECRET = 'made-up-secret/'.repeat(12);
/** Data may come at any time of our clock, which is not the simulated day's. */
const WHOLE_DAY: TradingDay = { opening: 0, closing: 24 * 60, nxtPreMarket: true };

export interface IngestingOptions {
  readonly venue: RunningVenue;
  readonly log: EventLog;
  readonly subscriptions: readonly Subscription[];
  /** Of the keys. */
  readonly clock: Clock;
  /** Where processes of one machine keep what they share. */
  readonly folder: string;
}

/** A process that takes KIS to the log: keys, session, ingestion. */
export interface Ingesting {
  readonly ingestion: Ingestion;
  readonly key: KisKey;
  /** Resolves with the next frame whose records are on their way to the log. */
  nextFrame(): Promise<void>;
  /** What was told of trading, in order. */
  readonly news: readonly TradingNews[];
  /** Reads what KIS still sends until it closes, then ends. */
  readOut(): Promise<void>;
  /** Closes the connection, then ends. */
  stop(): Promise<void>;
}

export async function startIngesting(options: IngestingOptions): Promise<Ingesting> {
  const { venue, log, subscriptions, clock, folder } = options;
  const auth = await KisAuth.open({
    accounts: KisAccounts.of([new KisAccount('main', 'real', APP_KEY, SECRET)]),
    tokenFile: join(folder, 'tokens'),
    machineFolder: folder,
    url: venue.host.apiUrl,
    clock,
  });
  const [key] = auth.keys;
  if (key === undefined) throw new Error('no key');
  const access = new KisAccess(key, clock);
  const driver = hastyDriver();
  const memory = driver.newMemory?.();
  const news: TradingNews[] = [];
  const arrivals = new Watch();
  let arrived = 0;
  const ending = new AbortController();
  const ingestion = new Ingestion({
    log,
    venues: [
      {
        driver,
        websocketUrl: venue.host.websocketUrl,
        subscriptions,
        access,
        ...(memory && { memory }),
        // What keeps sessions apart are the keys' waits, which go by their clock.
        reconnect: { floorMs: 1, capMs: 1 },
        silenceTimeoutMs: 1_500,
      },
    ],
    signal: ending.signal,
    hooks: {
      onTrading: (_, told) => news.push(...told),
      onProcessed: () => {
        arrived += 1;
        arrivals.changed();
      },
    },
  });
  const end = async () => {
    await ingestion.drain();
    await access.close();
    await auth.close();
  };
  onTestFinished(() => ending.abort());
  await ingestion.start();
  const stop = async () => {
    await ingestion.disconnect();
    await end();
  };
  const readOut = async () => {
    ingestion.expectEnd();
    await venue.host.finish();
    await end();
  };
  const nextFrame = () => {
    const before = arrived;
    return arrivals.until(() => arrived > before);
  };
  return { ingestion, key, nextFrame, news, readOut, stop };
}

/** The driver as it is, but for its waits between registrations. */
function hastyDriver(): VenueDriver {
  const today = Temporal.Now.plainDateISO('Asia/Seoul');
  const days = [-1, 0, 1].map((add) => today.add({ days: add }).toString().replaceAll('-', ''));
  const calendar = new SessionCalendar(new Map(days.map((date) => [parseBusinessDate(date), WHOLE_DAY])));
  const driver = kisDriver({ segment: 'UN', calendar });
  return { ...driver, defaults: { ...driver.defaults, openingEveryMs: 2 } };
}
