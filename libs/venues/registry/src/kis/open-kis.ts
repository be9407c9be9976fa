import {
  isOfKis,
  KIS_REST_HOSTS,
  KisAccess,
  KisAccounts,
  KisAuth,
  systemClock,
  type KisAuthOptions,
  type KisEnvironment,
} from '@aipx/kis-auth';
import { asMarketDataError, MarketDataError } from '@aipx/market-model';
import { settingFile } from '@aipx/service';
import type { OpenVenue } from '@aipx/venue';
import { kisDriver, parseTradingDays, SessionCalendar, type SpecialDays } from '@aipx/venue-kis';
import type { VenueContext } from '../opening.js';
import { decipher } from './decipher.js';
import { Holidays } from './holidays.js';
import { kisMetrics } from './metrics.js';
import type { KisExtras, KisSettings } from './settings.js';
import { madeUpAccounts, wholeDays } from './simulated.js';
import { statusOf } from './status.js';
import { takesOf } from './takes.js';

type Settings = KisSettings & KisExtras;

/** The server of simulated trading has a port of its own (official samples); its REST server, a host. */
const VIRTUAL_WEBSOCKET_URL = 'ws://ops.koreainvestment.com:31000/tryitout';

/**
 * KIS with its keys: one session each, and the right to it shared with other processes.
 *
 * @throws {MarketDataError} `CONFIG_ACCOUNT` for keys or files that cannot be, `CONFIG_INVALID` for a calendar file, or for more
 * streams than the keys carry
 */
export async function openKis(settings: Settings, context: VenueContext): Promise<OpenVenue> {
  const { useVirtualServer, segment, sessionsOnly } = settings;
  const environment = useVirtualServer ? 'virtual' : 'real';
  const accounts = await accountsOf(settings, environment, context);
  const ownDays = await ownDaysOf(settings);
  const calendar = new SessionCalendar(ownDays);
  // The virtual server does not have the stream of halts.
  const driver = kisDriver({ segment, calendar, sessionsOnly, marketOperations: !useVirtualServer, decipher });
  const { websocketUrl, apiUrl } = addresses(driver.defaults, context, useVirtualServer);
  const takes = context.subscriptions && takesOf(driver, segment, context.subscriptions, accounts.all.length);
  const auth = await openAuth(settings, { accounts, takes, url: apiUrl }, context);
  const endHolidays = await followHolidays(settings, context, { auth, calendar, ownDays, apiUrl });
  const accesses = auth.keys.map((key) => new KisAccess(key, systemClock));
  return {
    driver,
    websocketUrl,
    apiUrl,
    accesses,
    notes: [noteOf(settings, environment, auth, { ...context, apiUrl, websocketUrl })],
    metrics: kisMetrics(auth),
    status: () => statusOf(auth, accesses),
    close: async () => {
      await Promise.all([endHolidays(), ...accesses.map((access) => access.close())]);
      await auth.close();
    },
  };
}

async function accountsOf(
  { apiKey, apiSecret, accountsFile, simulatedKeys }: Settings,
  environment: KisEnvironment,
  { keepSecret }: VenueContext,
): Promise<KisAccounts> {
  if (simulatedKeys !== undefined) return madeUpAccounts(simulatedKeys);
  const accounts = await KisAccounts.load({ environment, apiKey, apiSecret, accountsFile });
  for (const account of accounts.all) {
    keepSecret?.(account.apiKey);
    keepSecret?.(account.apiSecret);
  }
  return accounts;
}

function openAuth(
  { tokenFile, tokenRefreshBefore, tokenCacheTtl, leaseTtl }: Settings,
  keys: Pick<KisAuthOptions, 'accounts' | 'takes' | 'url'>,
  { redis, machineFolder, keepSecret }: VenueContext,
): Promise<KisAuth> {
  return KisAuth.open({
    ...keys,
    redis,
    tokenFile,
    machineFolder,
    keepSecret,
    refreshBeforeMs: tokenRefreshBefore,
    cacheTtlMs: tokenCacheTtl,
    leaseTtlMs: leaseTtl,
  });
}

/** What nobody has set otherwise is the real server's, or the virtual one's. */
function addresses(
  real: Pick<OpenVenue, 'websocketUrl' | 'apiUrl'>,
  { websocketUrl, apiUrl }: VenueContext,
  isVirtual: boolean,
): Pick<OpenVenue, 'websocketUrl' | 'apiUrl'> {
  if (!isVirtual) return { websocketUrl, apiUrl };
  return {
    websocketUrl: websocketUrl === real.websocketUrl ? VIRTUAL_WEBSOCKET_URL : websocketUrl,
    apiUrl: apiUrl === real.apiUrl ? KIS_REST_HOSTS.virtual : apiUrl,
  };
}

async function ownDaysOf({ calendarFile, simulatedKeys }: Settings): Promise<SpecialDays> {
  if (simulatedKeys !== undefined) return wholeDays();
  if (calendarFile === undefined) return new Map();
  const text = await settingFile('KIS_CALENDAR_FILE', calendarFile);
  try {
    return parseTradingDays(text);
  } catch (cause) {
    const { message } = asMarketDataError(cause, 'CONFIG_INVALID');
    throw new MarketDataError('CONFIG_INVALID', `KIS_CALENDAR_FILE: ${calendarFile}: ${message}`, { cause });
  }
}

interface Followed {
  readonly auth: KisAuth;
  readonly calendar: SessionCalendar;
  readonly ownDays: SpecialDays;
  readonly apiUrl: string;
}

/** Keeps the calendar up to date, by the first key, until the returned function is called. */
async function followHolidays(
  { simulatedKeys, useVirtualServer }: Settings,
  { onFault = () => undefined }: VenueContext,
  { auth, calendar, ownDays, apiUrl }: Followed,
): Promise<() => Promise<void>> {
  const [key] = auth.keys;
  if (simulatedKeys !== undefined || key === undefined) return () => Promise.resolve();
  const { account, credentials, holidays: answer } = key;
  // The virtual REST server does not have the call.
  const caller = useVirtualServer ? undefined : { account, credentials, url: apiUrl };
  const holidays = await Holidays.open({ calendar, ownDays, answer, onFault, ...(caller && { caller }) });
  const end = new AbortController();
  const running = holidays.run(end.signal);
  return async () => {
    end.abort();
    await running;
  };
}

function noteOf(
  { tokenFile }: Settings,
  environment: KisEnvironment,
  { keys, place }: KisAuth,
  { redis, apiUrl, websocketUrl }: VenueContext,
): string {
  const count = keys.length === 1 ? 'one app key' : `${keys.length} app keys`;
  const isKept = redis !== undefined || tokenFile !== undefined;
  const advice = isKept ? '' : ' (REDIS_HOST shares them between machines, KIS_TOKEN_FILE keeps them through restarts)';
  const isKis = isOfKis(apiUrl) && new URL(websocketUrl).hostname === new URL(VIRTUAL_WEBSOCKET_URL).hostname;
  const servers = `the ${environment} servers of KIS`;
  const use = isKis
    ? `for ${servers}`
    : `with ${new URL(websocketUrl).host} (KIS_WEBSOCKET_URL) and ${new URL(apiUrl).host} (KIS_API_URL) instead of ${servers}`;
  return `${count} ${use}; tokens and approval keys are kept in ${place}${advice}`;
}
