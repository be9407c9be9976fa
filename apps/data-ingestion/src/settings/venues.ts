import type { KeepAlive, ReconnectPolicy } from '@aipx/market-model';
import {
  duration,
  durationText,
  integer,
  integerChoice,
  rule,
  url,
  type Rule,
  type SettingsGroup,
  type SettingsOf,
} from '@aipx/service';
import type { VenueDefaults, VenueDriver } from '@aipx/venue';
import { venues, type OwnValues, type RegisteredVenue, type VenueId, type VenueOpening } from '@aipx/venue-registry';
import { isAskedFor, marketSettings } from './markets.js';

/** How one venue is connected: the driver's own ways, with what the settings say. */
export interface VenueSettings {
  readonly websocketUrl: string;
  readonly apiUrl: string;
  readonly reconnect: ReconnectPolicy;
  /** Absent where the venue wants no pings. */
  readonly keepAlive?: KeepAlive;
  readonly silenceTimeoutMs: number;
  readonly bookDepth: number;
  /** Of this venue alone; others beside them. */
  readonly own: OwnValues;
}

type VenueGroup = ReturnType<typeof groupOf>;

const REGISTERED = Object.entries<RegisteredVenue>(venues);

/** `UPBIT_WEBSOCKET_URL` and so on, for every venue there is, and what is its own. Defaults and bounds are the driver's. */
export const venueGroups = Object.fromEntries(
  REGISTERED.map(([id, { driver, opening }]) => [id, { ...groupOf(driver, opening), ...opening?.settings }]),
) as Readonly<Record<VenueId, VenueGroup>>;

export const venueRules: readonly Rule[] = [
  ...Object.values<VenueGroup>(venueGroups).flatMap(rulesOf),
  ...REGISTERED.flatMap(([, { opening }]) => opening?.rules ?? []),
  ...REGISTERED.flatMap(([id, { opening }]) => (opening?.rulesInUse ?? []).map((each) => whenAskedFor(id, each))),
];

/** Names of a venue's prefix that other apps read. */
export const VENUES_OF_OTHER_APPS = Object.fromEntries(
  REGISTERED.map(([id, { opening }]) => [id, opening?.otherApps ?? []]),
);

export function venueSettings(id: VenueId, values: SettingsOf<Record<VenueId, VenueGroup>>[VenueId]): VenueSettings {
  const { reconnect, keepAlive } = defaultsOf(id);
  return {
    websocketUrl: values.websocketUrl,
    apiUrl: values.apiUrl,
    reconnect: {
      ...reconnect,
      floorMs: values.reconnectDelay,
      capMs: values.reconnectMaxDelay,
      retries: values.reconnectRetries,
    },
    ...(keepAlive !== undefined && { keepAlive: { ...keepAlive, everyMs: values.pingInterval ?? keepAlive.everyMs } }),
    silenceTimeoutMs: values.silenceTimeout,
    bookDepth: values.bookDepth,
    own: values,
  };
}

/** As the contract types them, not as this registry's venues happen to be. */
function defaultsOf(id: VenueId): VenueDefaults {
  return venues[id].driver.defaults;
}

function groupOf({ id, defaults }: VenueDriver, opening: Pick<VenueOpening, 'aliases' | 'apiAnswers'> | undefined) {
  const { aliases = {}, apiAnswers = 'requests, such as for its list of codes' } = opening ?? {};
  const name = (setting: string) => `${id.toUpperCase()}_${setting}`;
  const { reconnect, connectLimit, keepAlive, bookDepths, atLeast } = defaults;
  // Sooner than this the venue's limit would hold an attempt back anyway.
  const soonest = durationText(atLeast?.reconnectDelayMs ?? Math.ceil(connectLimit.perMs / connectLimit.attempts));
  return {
    websocketUrl: {
      env: name('WEBSOCKET_URL'),
      type: url('wss', 'ws'),
      default: defaults.websocketUrl,
      describe: `Where ${id} sends market data`,
    },
    apiUrl: {
      env: name('API_URL'),
      type: url('https', 'http'),
      default: defaults.apiUrl,
      describe: `Where ${id} answers ${apiAnswers}`,
    },
    reconnectRetries: {
      env: name('RECONNECT_RETRIES'),
      type: integer({ min: 1, max: 1_000_000, zero: 'endless' }),
      default: String(reconnect.retries),
      describe: 'Failed attempts in a row before the venue is given up',
    },
    reconnectDelay: {
      env: name('RECONNECT_DELAY'),
      type: duration({ min: soonest, max: '1h' }),
      default: durationText(reconnect.floorMs),
      describe: 'Wait before the first attempt to reconnect; it grows with each further one',
    },
    reconnectMaxDelay: {
      env: name('RECONNECT_MAX_DELAY'),
      type: duration({ min: soonest, max: '24h' }),
      default: durationText(reconnect.capMs),
      describe: 'Longest wait before an attempt',
    },
    ...(keepAlive !== undefined && {
      pingInterval: {
        env: name('PING_INTERVAL'),
        type: duration({ min: '100ms', below: durationText(keepAlive.idleLimitMs / 2) }),
        default: durationText(keepAlive.everyMs),
        describe: `How often a ping is sent; below half of the ${durationText(keepAlive.idleLimitMs)} of silence after which ${id} closes`,
      },
    }),
    silenceTimeout: {
      env: name('SILENCE_TIMEOUT'),
      type: duration({ min: durationText(atLeast?.silenceTimeoutMs ?? 100), max: '1h' }),
      default: durationText(defaults.silenceTimeoutMs),
      describe: 'Silence of a whole connection after which it counts as dead',
      ...(aliases.silenceTimeout && { aliases: aliases.silenceTimeout }),
    },
    bookDepth: {
      env: name('BOOK_DEPTH'),
      type: integerChoice(bookDepths),
      default: String(defaults.bookDepth),
      describe: 'Levels of an order book on each side',
    },
  } as const satisfies SettingsGroup;
}

/** What is no fault as long as nobody wants anything of the venue. */
function whenAskedFor(id: string, { settings, check }: Rule): Rule {
  const { markets, venue } = marketSettings;
  return {
    settings: [markets, venue, ...settings],
    check: ([given, otherwise, ...values]) =>
      isAskedFor(id, given as readonly string[], otherwise as VenueId | undefined) ? check(values) : [],
  };
}

function rulesOf({ reconnectDelay, reconnectMaxDelay, silenceTimeout, pingInterval }: VenueGroup): readonly Rule[] {
  const delays = rule([reconnectDelay, reconnectMaxDelay], (delay, max) =>
    max >= delay ? [] : [{ setting: reconnectMaxDelay, says: tooShort(max, 'at least', reconnectDelay.env, delay) }],
  );
  if (pingInterval === undefined) return [delays];
  // Else a quiet market would be taken for a dead connection.
  const silence = rule([pingInterval, silenceTimeout], (ping, silent) =>
    silent > ping ? [] : [{ setting: silenceTimeout, says: tooShort(silent, 'more than', pingInterval.env, ping) }],
  );
  return [delays, silence];
}

function tooShort(value: number, relation: string, other: string, otherValue: number): string {
  return `${durationText(value)} is too short: expected ${relation} ${other}, which is ${durationText(otherValue)}`;
}
