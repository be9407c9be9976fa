import { MarketDataError } from './error.js';

/** Nanoseconds since the Unix epoch, UTC. */
export type Nanoseconds = bigint;

/** 2000-01-01 and 2100-01-01, milliseconds. What lies outside is a mistake of unit (seconds, microseconds), not a time. */
const EARLIEST = 946_684_800_000;
const LATEST = 4_102_444_800_000;

/**
 * Nanoseconds from a venue's millisecond stamp.
 *
 * @param raw digits, as the venue printed them
 * @throws {MarketDataError} `VALIDATION_TIME` when it is not a whole number of milliseconds from 2000 to 2099
 */
export function fromEpochMillis(raw: string): Nanoseconds {
  const millis = wholeNumber(raw);
  if (!(millis >= EARLIEST && millis < LATEST)) throw notTime(raw, 'milliseconds since 1970 such as 1618678262000');
  return BigInt(millis) * 1_000_000n;
}

/**
 * Nanoseconds from a venue's microsecond stamp.
 *
 * @param raw digits, as the venue printed them
 * @throws {MarketDataError} `VALIDATION_TIME` when it is not a whole number of microseconds from 2000 to 2099
 */
export function fromEpochMicros(raw: string): Nanoseconds {
  const micros = wholeNumber(raw);
  if (!(micros >= EARLIEST * 1000 && micros < LATEST * 1000)) {
    throw notTime(raw, 'microseconds since 1970 such as 1691530805062000');
  }
  return BigInt(micros) * 1000n;
}

/** Exact for every time: the microseconds of 2100 are under 2^53. */
function wholeNumber(raw: string): number {
  return /^\d{1,16}$/.test(raw) ? Number(raw) : Number.NaN;
}

function notTime(raw: string, expected: string): MarketDataError {
  return new MarketDataError(
    'VALIDATION_TIME',
    `not a time: ${JSON.stringify(raw.slice(0, 60))}; expected ${expected}`,
  );
}

/** Whole microseconds, as SQL's timestamptz and Parquet's timestamp hold them; rounded down, never to the future. */
export function toEpochMicros(time: Nanoseconds): bigint {
  const micros = time / 1000n;
  return time < 0n && micros * 1000n !== time ? micros - 1n : micros;
}

/** ISO 8601 in UTC, as many fraction digits as the time has, for logs and details. */
export function toIsoText(time: Nanoseconds): string {
  return Temporal.Instant.fromEpochNanoseconds(time).toString();
}
