import { asMarketDataError, MarketDataError } from '@aipx/market-model';
import { businessDateFrom, parseBusinessDate, type BusinessDate } from './kst.js';

/** When a day trades. Minutes since midnight, Korea time. */
export interface TradingDay {
  /** Start of continuous trading: 09:00 on an ordinary day. */
  readonly opening: number;
  /** End of the closing auction: 15:30 on an ordinary day. */
  readonly closing: number;
  /** Whether Nextrade holds its pre-market. */
  readonly nxtPreMarket: boolean;
}

export const USUAL_OPENING = 9 * 60;
export const USUAL_CLOSING = 15 * 60 + 30;
export const USUAL_DAY: TradingDay = { opening: USUAL_OPENING, closing: USUAL_CLOSING, nxtPreMarket: true };

/** Days that differ from the rule that Monday to Friday trade at the usual hours; `undefined`: closed. */
export type SpecialDays = ReadonlyMap<BusinessDate, TradingDay | undefined>;

/**
 * Reads a calendar file, JSON. Days that are not listed follow the week: a whole year may be listed, or the exceptions only.
 *
 * ```json
 * {"days": [
 *   {"date": "2026-01-02", "open": true, "opening": "10:00"},
 *   {"date": "2026-11-19", "open": true, "opening": "10:00", "closing": "16:30"},
 *   {"date": "2026-12-25", "open": false}
 * ]}
 * ```
 *
 * `opening` is the start of continuous trading (09:00), `closing` the end of the closing auction (15:30); what belongs to
 * them moves along. `nxtPreMarket` is true unless the opening is late, as on the day of the college exam.
 *
 * @throws {MarketDataError} `CONFIG_INVALID`, naming the entry and what would be right
 */
export function parseTradingDays(json: string): SpecialDays {
  let content: unknown;
  try {
    content = JSON.parse(json);
  } catch (cause) {
    throw invalid('the file is not JSON', cause);
  }
  const days = isObject(content) ? content['days'] : undefined;
  if (!Array.isArray(days)) throw invalid('expected {"days": [{"date": "2026-12-25", "open": false}, …]}');
  const special = new Map<BusinessDate, TradingDay | undefined>();
  for (const [index, entry] of days.entries()) {
    const where = `days[${index}]`;
    const { date, day } = readEntry(entry, where);
    if (special.has(date)) throw invalid(`${where}: ${date} is listed twice`);
    special.set(date, day);
  }
  return special;
}

/** The hours of a day; `undefined` when it does not trade. */
export function tradingDay(special: SpecialDays, date: Temporal.PlainDate): TradingDay | undefined {
  const key = businessDateFrom(date);
  if (special.has(key)) return special.get(key);
  return date.dayOfWeek <= 5 ? USUAL_DAY : undefined;
}

const NAMES = new Set(['date', 'open', 'opening', 'closing', 'nxtPreMarket']);

function readEntry(entry: unknown, where: string): { date: BusinessDate; day: TradingDay | undefined } {
  if (!isObject(entry)) throw invalid(`${where}: expected an object with date and open`);
  const unknown = Object.keys(entry).find((name) => !NAMES.has(name));
  if (unknown !== undefined) throw invalid(`${where}: ${JSON.stringify(unknown)} is none of ${[...NAMES].join(', ')}`);
  const date = readDate(entry['date'], where);
  const open = readBoolean(entry['open'], `${where}.open`);
  if (!open) return { date, day: undefined };
  const opening = readMinute(entry['opening'], `${where}.opening`) ?? USUAL_OPENING;
  const closing = readMinute(entry['closing'], `${where}.closing`) ?? USUAL_CLOSING;
  if (opening >= closing) throw invalid(`${where}: opening is not before closing`);
  const preMarket = entry['nxtPreMarket'];
  const nxtPreMarket =
    preMarket === undefined ? opening <= USUAL_OPENING : readBoolean(preMarket, `${where}.nxtPreMarket`);
  return { date, day: { opening, closing, nxtPreMarket } };
}

function readDate(value: unknown, where: string): BusinessDate {
  if (typeof value !== 'string' || !/^\d{4}-\d{2}-\d{2}$/.test(value)) {
    throw invalid(`${where}.date is ${JSON.stringify(value) ?? 'absent'}; expected a day such as 2026-12-25`);
  }
  try {
    return parseBusinessDate(value.replaceAll('-', ''));
  } catch (cause) {
    throw invalid(`${where}.date: ${asMarketDataError(cause, 'CONFIG_INVALID').message}`, cause);
  }
}

function readBoolean(value: unknown, where: string): boolean {
  if (typeof value === 'boolean') return value;
  throw invalid(`${where} is ${JSON.stringify(value) ?? 'absent'}; expected true or false`);
}

function readMinute(value: unknown, where: string): number | undefined {
  if (value === undefined) return undefined;
  const [, hour, minute] = typeof value === 'string' ? (/^([01]\d|2[0-3]):([0-5]\d)$/.exec(value) ?? []) : [];
  if (hour === undefined || minute === undefined) {
    throw invalid(`${where} is ${JSON.stringify(value)}; expected a time such as "10:00"`);
  }
  return Number(hour) * 60 + Number(minute);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function invalid(message: string, cause?: unknown): MarketDataError {
  return new MarketDataError('CONFIG_INVALID', `trading calendar: ${message}`, { cause });
}
