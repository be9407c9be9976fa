import { asMarketDataError } from '@aipx/market-model';
import {
  defineSettings,
  loadSettings,
  redisAddress,
  redisRule,
  sharedRedis,
  type RedisAddress,
  type SettingsGroup,
} from '@aipx/service';
import type { OpenVenue } from '@aipx/venue';
import { openVenue, type OwnValues, type RegisteredVenue, type VenueContext } from '@aipx/venue-registry';
import type { VenuePlan } from './markets.js';

/** What real venues are opened with, by venue id. */
export type LiveSettings = ReadonlyMap<string, VenueSettings>;

interface VenueSettings {
  readonly own: OwnValues;
  readonly redis: RedisAddress | undefined;
  /** Variables that look as if they were meant, and are no settings. */
  readonly warnings: readonly string[];
  readonly secrets: readonly string[];
}

/**
 * The settings that each venue of the plans wants beside the flags, such as its keys.
 *
 * @param folder holds `.env`
 * @throws {MarketDataError} `CONFIG_INVALID`, naming what is missing or wrong and where it comes from
 */
export async function loadLiveSettings(plans: readonly VenuePlan[], folder: string): Promise<LiveSettings> {
  const loaded = plans.map(async ({ venue }) => [venue.driver.id, await settingsOf(venue, folder)] as const);
  return new Map(await Promise.all(loaded));
}

/** Why a venue that nobody named stays out: its keys are not there. `undefined` when it can be opened. */
export async function whyLeftOut(venue: RegisteredVenue, folder: string): Promise<string | undefined> {
  try {
    await settingsOf(venue, folder);
    return undefined;
  } catch (cause) {
    const { message, context } = asMarketDataError(cause, 'CONFIG_INVALID');
    return String(context['faults'] ?? message);
  }
}

export function openLiveVenue(
  { venue: { driver }, subscriptions }: VenuePlan,
  settings: LiveSettings,
  { keepSecret, onFault }: Required<Pick<VenueContext, 'keepSecret' | 'onFault'>>,
): Promise<OpenVenue> {
  const { own = {}, redis, secrets = [] } = settings.get(driver.id) ?? {};
  for (const secret of secrets) keepSecret(secret);
  const { websocketUrl, apiUrl } = driver.defaults;
  return openVenue(driver.id, own, { websocketUrl, apiUrl, subscriptions, redis, keepSecret, onFault });
}

async function settingsOf({ driver, opening }: RegisteredVenue, folder: string): Promise<VenueSettings> {
  if (opening === undefined) return { own: {}, redis: undefined, warnings: [], secrets: [] };
  const { settings, rules, rulesInUse, otherApps } = opening;
  const schema = defineSettings<{ redis: typeof sharedRedis } & Record<string, SettingsGroup>>({
    app: 'npm start',
    tree: { [driver.id]: settings, redis: sharedRedis },
    rules: [...rules, ...rulesInUse, redisRule],
    otherApps: { [driver.id]: otherApps },
  });
  const { values, warnings, secrets } = await loadSettings(schema, { folder });
  return { own: values[driver.id] ?? {}, redis: redisAddress(values.redis), warnings, secrets };
}
