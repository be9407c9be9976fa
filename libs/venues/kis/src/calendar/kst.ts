import { MarketDataError, type Nanoseconds } from '@aipx/market-model';

/** A day of the Korean calendar, `YYYYMMDD`, as KIS prints it. `parseBusinessDate` is the only door. */
export type BusinessDate = string & { readonly __brand: 'BusinessDate' };

/** KIS times are Korea Standard Time, whatever the zone of the process. */
const SEOUL = 'Asia/Seoul';
const SECOND = 1_000_000_000n;
const HHMMSS = /^([01]\d|2[0-3])([0-5]\d)([0-5]\d)$/;

/** @throws {MarketDataError} `VALIDATION_TIME` when it is no day from 2000 to 2099 written as `YYYYMMDD` */
export function parseBusinessDate(raw: string): BusinessDate {
  midnightOf(raw);
  return raw as BusinessDate;
}

export function businessDateFrom(date: Temporal.PlainDate): BusinessDate {
  return date.toString().replaceAll('-', '') as BusinessDate;
}

export function plainDate(date: BusinessDate): Temporal.PlainDate {
  return Temporal.PlainDate.from(date);
}

/**
 * Seconds since midnight.
 *
 * @throws {MarketDataError} `VALIDATION_TIME` when it is not `HHMMSS` from 000000 to 235959
 */
export function secondOfDay(raw: string): number {
  const match = HHMMSS.exec(raw);
  if (match === null) throw notTime(raw, 'HHMMSS from 000000 to 235959');
  return Number(match[1]) * 3600 + Number(match[2]) * 60 + Number(match[3]);
}

/** The instant of a second of a day. Korea has had no clock change since 1988, so a day is 86,400 of them. */
export function kstInstant(date: BusinessDate, second: number): Nanoseconds {
  return midnightOf(date) + BigInt(second) * SECOND;
}

/** The day in Seoul that an instant belongs to. */
export function kstDate(instant: Nanoseconds): Temporal.PlainDate {
  return Temporal.Instant.fromEpochNanoseconds(instant).toZonedDateTimeISO(SEOUL).toPlainDate();
}

/** Nearly every record has the date of the one before it. */
let latest: { readonly date: string; readonly midnight: Nanoseconds } = { date: '', midnight: 0n };

function midnightOf(date: string): Nanoseconds {
  if (latest.date !== date) latest = { date, midnight: computeMidnight(date) };
  return latest.midnight;
}

function computeMidnight(raw: string): Nanoseconds {
  if (!/^20\d{6}$/.test(raw)) throw notTime(raw, 'a day from 2000 to 2099 as YYYYMMDD');
  try {
    return Temporal.PlainDate.from(raw).toZonedDateTime(SEOUL).epochNanoseconds;
  } catch (cause) {
    throw notTime(raw, 'a day of the calendar as YYYYMMDD', cause);
  }
}

function notTime(raw: string, expected: string, cause?: unknown): MarketDataError {
  const message = `not a time: ${JSON.stringify(raw.slice(0, 60))}; expected ${expected}`;
  return new MarketDataError('VALIDATION_TIME', message, { cause });
}
