import { MarketDataError } from './error.js';

/** Nanoseconds since the Unix epoch, UTC. */
export type Nanoseconds = bigint;

const NANOS_PER_MILLI = 1_000_000n;
/** 2100-01-01. A venue time behind it is a unit mistake, not a time. */
const LATEST_MILLIS = 4_102_444_800_000;

/**
 * Nanoseconds from a venue's millisecond stamp.
 *
 * @param raw digits, as the venue printed them
 * @throws {MarketDataError} `VALIDATION_TIME` when it is not a whole number of milliseconds between 1970 and 2100
 */
export function fromEpochMillis(raw: string): Nanoseconds {
  const millis = /^\d{1,13}$/.test(raw) ? Number(raw) : Number.NaN;
  if (!(millis > 0 && millis < LATEST_MILLIS)) {
    throw new MarketDataError(
      'VALIDATION_TIME',
      `not a time: ${JSON.stringify(raw)}; expected milliseconds since 1970 such as 1618678262000`,
    );
  }
  return BigInt(millis) * NANOS_PER_MILLI;
}

/** Whole microseconds, as SQL's timestamptz and Parquet's timestamp hold them; rounded down, never to the future. */
export function toEpochMicros(time: Nanoseconds): bigint {
  const micros = time / 1000n;
  return time < 0n && micros * 1000n !== time ? micros - 1n : micros;
}

/** ISO 8601 in UTC with all nine fraction digits, for logs and details. */
export function toIsoText(time: Nanoseconds): string {
  const seconds = time / 1_000_000_000n;
  const nanos = (time % 1_000_000_000n).toString().padStart(9, '0');
  return `${new Date(Number(seconds) * 1000).toISOString().slice(0, 19)}.${nanos}Z`;
}
