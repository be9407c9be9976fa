import { MarketDataError } from '@aipx/market-model';

const UNIT_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;

/**
 * Milliseconds of a duration as the settings spell it: `500ms`, `5s`, `10m`, `24h`. A bare number has no unit and is
 * refused, for it would be read as seconds by half of the people.
 *
 * @throws {MarketDataError} `CONFIG_INVALID`, naming the setting, the value and what is right
 */
export function parseDuration(setting: string, raw: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(raw.trim());
  const millis = match === null ? Number.NaN : Number(match[1]) * UNIT_MS[match[2] as keyof typeof UNIT_MS];
  if (!Number.isSafeInteger(Math.round(millis)) || millis <= 0) {
    throw new MarketDataError(
      'CONFIG_INVALID',
      `${setting}: ${JSON.stringify(raw)} is not a duration; expected a number with its unit, such as 500ms, 20s, 10m or 24h`,
    );
  }
  return Math.round(millis);
}
