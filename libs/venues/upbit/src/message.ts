import {
  asMarketDataError,
  fromEpochMicros,
  fromEpochMillis,
  MarketDataError,
  parseDecimal,
  type Decimal,
  type Nanoseconds,
  type StreamType,
} from '@aipx/market-model';

/** The `exchange` of every event. */
export const EXCHANGE = 'upbit';

/**
 * What every message has, in either key set: long names in the formats DEFAULT and JSON_LIST, short ones in SIMPLE and
 * SIMPLE_LIST (documented). Nothing is known of a value before it has been read: frames are input, not promises.
 */
export interface Message {
  readonly type?: unknown;
  readonly ty?: unknown;
  readonly code?: unknown;
  readonly cd?: unknown;
  readonly timestamp?: unknown;
  readonly tms?: unknown;
  readonly stream_type?: unknown;
  readonly st?: unknown;
}

/** A `T` has only optional fields of unknown type, so that being an object is all it takes. */
export function isObject<T extends object>(value: unknown): value is T {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Numbers and strings alike arrive as text, every digit kept. `field` is the documented long name, for the error. */
export function readText(value: unknown, field: string): string {
  if (typeof value === 'string') return value;
  throw unreadable(field, value, 'a number or text');
}

/** Any spelling that Upbit prints: `1.16539E8`, `7.9276E-4`, `9.101e-05`, `123.00000000` (as seen on the wire). */
export function readDecimal(value: unknown, field: string): Decimal {
  const raw = readText(value, field);
  try {
    return parseDecimal(raw);
  } catch (cause) {
    throw inField(field, cause);
  }
}

export function readOptionalDecimal(value: unknown, field: string): Decimal | undefined {
  return value === undefined || value === null ? undefined : readDecimal(value, field);
}

/** From this many digits on a stamp is microseconds: 10^15 ms would be the year 33658. */
const MICROSECOND_DIGITS = 16;

/** Upbit stamps are milliseconds; a USDT pair once sent microseconds (August 2023, reported by clients). Both are exact. */
export function readTime(value: unknown, field: string): Nanoseconds {
  const raw = readText(value, field);
  try {
    return raw.length < MICROSECOND_DIGITS ? fromEpochMillis(raw) : fromEpochMicros(raw);
  } catch (cause) {
    throw inField(field, cause);
  }
}

/** A type of stream that is new to us says nothing about the data, so it is no reason to refuse it. */
export function readStreamType(message: Message): StreamType | undefined {
  const streamType = message.stream_type ?? message.st;
  return streamType === 'REALTIME' || streamType === 'SNAPSHOT' ? streamType : undefined;
}

export function unreadable(field: string, value: unknown, expected: string): MarketDataError {
  return new MarketDataError('VALIDATION_FRAME', `${field} is ${shown(value)}; expected ${expected}`);
}

/** A value as an error message shows it: short, whatever the venue sent. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'an object';
  return value === undefined ? 'absent' : String(value);
}

function inField(field: string, cause: unknown): MarketDataError {
  const error = asMarketDataError(cause, 'VALIDATION_FRAME');
  return new MarketDataError(error.code, `${field}: ${error.message}`, { cause });
}
