import { MarketDataError } from '@aipx/market-model';
import { parseDuration } from '@aipx/service';

const DAY_MS = 86_400_000;

/** Nanoseconds of a time as people write it. @throws {MarketDataError} `CONFIG_INVALID` */
export function timeOf(flag: string, raw: string): bigint {
  const text = /^\d{4}-\d{2}-\d{2}$/.test(raw) ? `${raw}T00:00:00Z` : raw;
  try {
    return Temporal.Instant.from(text).epochNanoseconds;
  } catch (cause) {
    throw invalid(
      flag,
      raw,
      'a time with its zone, such as 2024-05-01T09:00:00Z or 2024-05-01T18:00:00+09:00, or a day in UTC',
      cause,
    );
  }
}

/** Half open, from `100..199`, which names the first and the last offset. @throws {MarketDataError} `CONFIG_INVALID` */
export function offsetsOf(raw: string): { readonly begin: bigint; readonly end: bigint } {
  const [, first = '', last = ''] = /^(\d{1,18})\.\.(\d{1,18})$/.exec(raw) ?? [];
  if (first === '' || BigInt(first) > BigInt(last)) {
    throw invalid('--offsets', raw, 'the first and the last offset, such as 100..199');
  }
  return { begin: BigInt(first), end: BigInt(last) + 1n };
}

/** Milliseconds; also in days, as retention is spoken of. @throws {MarketDataError} `CONFIG_INVALID` */
export function ageOf(flag: string, raw: string): number {
  const [, days] = /^(\d{1,6})d$/.exec(raw) ?? [];
  return days === undefined ? parseDuration(flag, raw) : Number(days) * DAY_MS;
}

/** @throws {MarketDataError} `CONFIG_INVALID` */
export function countOf(flag: string, raw: string, least: number): number {
  const value = /^\d{1,9}$/.test(raw) ? Number(raw) : Number.NaN;
  if (!(value >= least)) throw invalid(flag, raw, `a whole number from ${least} on`);
  return value;
}

/** Bytes of `500MiB` or `2GiB`. @throws {MarketDataError} `CONFIG_INVALID` */
export function sizeOf(flag: string, raw: string): number {
  const [, count, unit = ''] = /^(\d{1,6})(MiB|GiB)$/.exec(raw) ?? [];
  if (count === undefined) throw invalid(flag, raw, 'a size such as 500MiB or 2GiB');
  return Number(count) * (unit === 'GiB' ? 1024 ** 3 : 1024 ** 2);
}

/** @throws {MarketDataError} `CONFIG_INVALID` */
export function choiceOf<const Choice extends string>(flag: string, raw: string, choices: readonly Choice[]): Choice {
  const found = choices.find((each) => each === raw);
  if (found === undefined) throw invalid(flag, raw, `one of ${choices.join(', ')}`);
  return found;
}

/** @throws {MarketDataError} `CONFIG_INVALID` for an end that is not behind the begin */
export function timesOf({ from, to }: { readonly from?: string; readonly to?: string }) {
  const times = {
    ...(from !== undefined && { from: timeOf('--from', from) }),
    ...(to !== undefined && { to: timeOf('--to', to) }),
  };
  if (times.from !== undefined && times.to !== undefined && times.to <= times.from) {
    throw new MarketDataError('CONFIG_INVALID', `--to ${to} is not later than --from ${from}`);
  }
  return times;
}

function invalid(flag: string, raw: string, expected: string, cause?: unknown): MarketDataError {
  return new MarketDataError('CONFIG_INVALID', `${flag}: ${JSON.stringify(raw)} is not ${expected}`, { cause });
}
