import { MarketDataError } from '@aipx/market-model';

const UNIT_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;

/**
 * Milliseconds of a duration as the settings spell it: `500ms`, `5s`, `10m`, `24h`. A bare number has no unit and is
 * refused, for it would be read as seconds by half of the people.
 *
 * @throws {MarketDataError} `CONFIG_INVALID`, naming the setting, the value and what is right
 */
export function parseDuration(setting: string, raw: string): number {
  const millis = durationMs(raw);
  if (!(millis > 0)) {
    throw new MarketDataError(
      'CONFIG_INVALID',
      `${setting}: ${JSON.stringify(raw)} is not a duration; expected a number with its unit, such as 500ms, 20s, 10m or 24h`,
    );
  }
  return millis;
}

/** Milliseconds, whole; `0` needs no unit. NaN when the text is no duration. */
export function durationMs(raw: string): number {
  const text = raw.trim();
  if (text === '0') return 0;
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text);
  if (match === null) return Number.NaN;
  const millis = Math.round(Number(match[1]) * UNIT_MS[match[2] as keyof typeof UNIT_MS]);
  return Number.isSafeInteger(millis) ? millis : Number.NaN;
}

/** The duration as the settings spell it, in the largest unit that leaves no fraction: 90000 is `90s`. */
export function durationText(millis: number): string {
  for (const unit of ['h', 'm', 's'] as const) {
    if (millis > 0 && millis % UNIT_MS[unit] === 0) return `${millis / UNIT_MS[unit]}${unit}`;
  }
  return `${millis}ms`;
}
