import { asMarketDataError, MarketDataError, type KeepAlive, type ReconnectPolicy } from '@aipx/market-model';
import type { VenueDriver } from '@aipx/venue';
import { checkDuration, checkKeepAlive, checkReconnectPolicy } from '@aipx/websocket-client';

/** What a user may set otherwise than the venue's driver does. */
export interface ConnectionOverrides {
  readonly reconnect?: Partial<ReconnectPolicy>;
  readonly keepAliveEveryMs?: number;
  readonly silenceTimeoutMs?: number;
}

export interface ConnectionSettings {
  readonly reconnect: ReconnectPolicy;
  /** Absent where the venue wants no pings. */
  readonly keepAlive?: KeepAlive;
  readonly silenceTimeoutMs: number;
}

/**
 * The driver's defaults with what is set otherwise, held to the same rules as those.
 *
 * @throws {MarketDataError} `CONFIG_INVALID`, naming venue and value and what would be right; `context` has `venue` and
 * `option` (`reconnect.floorMs`, `reconnect.capMs`, `reconnect.retries`, `keepAlive.everyMs`, `silenceTimeoutMs`, …)
 */
export function connectionSettings(
  { id, defaults }: Pick<VenueDriver, 'id' | 'defaults'>,
  { reconnect, keepAliveEveryMs, silenceTimeoutMs = defaults.silenceTimeoutMs }: ConnectionOverrides,
): ConnectionSettings {
  const settings = {
    reconnect: { ...defaults.reconnect, ...reconnect },
    silenceTimeoutMs,
    ...keepAliveOf(id, defaults.keepAlive, keepAliveEveryMs),
  };
  try {
    checkReconnectPolicy(settings.reconnect);
    checkDuration('silenceTimeoutMs', silenceTimeoutMs);
    if (settings.keepAlive !== undefined) checkKeepAlive(settings.keepAlive);
  } catch (cause) {
    const { message, context } = asMarketDataError(cause, 'CONFIG_INVALID');
    throw new MarketDataError('CONFIG_INVALID', `${id}: ${message}`, { cause, context: { ...context, venue: id } });
  }
  const { everyMs } = settings.keepAlive ?? {};
  if (everyMs !== undefined && silenceTimeoutMs <= everyMs) {
    throw new MarketDataError(
      'CONFIG_INVALID',
      `${id}: silenceTimeoutMs is ${silenceTimeoutMs}; expected more than keepAlive.everyMs, which is ${everyMs}: in a quiet ` +
        'market only the answers to keepalives are heard',
      { context: { option: 'silenceTimeoutMs', venue: id } },
    );
  }
  return settings;
}

function keepAliveOf(
  id: string,
  keepAlive: KeepAlive | undefined,
  everyMs: number | undefined,
): Pick<ConnectionSettings, 'keepAlive'> {
  if (keepAlive !== undefined) return { keepAlive: { ...keepAlive, everyMs: everyMs ?? keepAlive.everyMs } };
  if (everyMs === undefined) return {};
  throw new MarketDataError(
    'CONFIG_INVALID',
    `${id}: keepAlive.everyMs is ${everyMs}; expected none, since ${id} wants no pings from us`,
    { context: { option: 'keepAlive.everyMs', venue: id } },
  );
}
