import { asMarketDataError, MarketDataError } from '@aipx/market-model';
import { redact } from '../control/redact.js';
import { parseBusinessDate, type BusinessDate } from './kst.js';
import { USUAL_DAY, type SpecialDays, type TradingDay } from './trading-days.js';

/** The call that answers with the trading days: GET on the REST server; `BASS_DT`, `CTX_AREA_FK` and `CTX_AREA_NK` ask. */
export const HOLIDAY_CALL = {
  path: '/uapi/domestic-stock/v1/quotations/chk-holiday',
  trId: 'CTCA0903R',
} as const;

/** Where the next page begins, in the words of the last one. */
export interface HolidayCursor {
  readonly ctxAreaFk: string;
  readonly ctxAreaNk: string;
}

export interface HolidayPage {
  /** Every day of the page, those that trade as usual included. */
  readonly days: SpecialDays;
  /** Absent behind the last page. */
  readonly next: HolidayCursor | undefined;
}

/** More days in a row without trading than any holidays have: ten, around New Year by the moon. */
const MOST_CLOSED_DAYS = 21;

/**
 * Reads one page of the holiday call.
 *
 * ```json
 * {"rt_cd":"0","msg_cd":"MCA00000","msg1":"…","ctx_area_fk":"20261101","ctx_area_nk":"20261201","output":[
 *   {"bass_dt":"20261125","wday_dvsn_cd":"04","bzdy_yn":"Y","tr_day_yn":"Y","opnd_yn":"Y","sttl_day_yn":"Y"}]}
 * ```
 *
 * Of its four flags `opnd_yn` alone says whether the market opens: a bank's business day may be none of the exchange. The call knows
 * no hours: half days and late openings read as usual ones.
 *
 * @param continuation the header `tr_cont`: F and M announce a further page
 * @throws {MarketDataError} `CONNECTION_REFUSED_BY_VENUE` with `context.kis_code` when KIS says no, `VALIDATION_RECORD` when
 * this is no such answer
 */
export function readHolidayPage(body: string, continuation: string): HolidayPage {
  const answer = readObject(body);
  if (answer['rt_cd'] !== '0') throw refused(answer);
  const rows = answer['output'];
  if (!Array.isArray(rows)) throw unreadable('has no list "output"');
  const days = new Map(rows.map((row, index) => readRow(row, `output[${index}]`)));
  return { days, next: MORE_PAGES.has(continuation) ? readCursor(answer) : undefined };
}

/**
 * All pages as one list.
 *
 * @throws {MarketDataError} `VALIDATION_RECORD` when no market could be like that: it would keep us from listening
 */
export function joinHolidayPages(pages: readonly SpecialDays[]): SpecialDays {
  const days = new Map(pages.flatMap((page) => [...page]));
  if (days.size === 0) throw unreadable('names no day');
  let closed = 0;
  for (const [date, day] of [...days].sort(([a], [b]) => (a < b ? -1 : 1))) {
    closed = day === undefined ? closed + 1 : 0;
    if (closed >= MOST_CLOSED_DAYS) throw unreadable(`has no trading in the ${closed} days up to ${date}`);
  }
  return days;
}

const MORE_PAGES: ReadonlySet<string> = new Set(['F', 'M']);

function readRow(row: unknown, where: string): readonly [BusinessDate, TradingDay | undefined] {
  if (!isObject(row)) throw unreadable(`${where} is no object`);
  const { bass_dt: date, opnd_yn: open } = row;
  if (open !== 'Y' && open !== 'N') {
    throw unreadable(`${where}.opnd_yn is ${JSON.stringify(open) ?? 'absent'}; expected Y or N`);
  }
  try {
    return [parseBusinessDate(String(date)), open === 'Y' ? USUAL_DAY : undefined];
  } catch (cause) {
    throw unreadable(`${where}.bass_dt: ${asMarketDataError(cause, 'VALIDATION_RECORD').message}`, cause);
  }
}

function readCursor({ ctx_area_fk: ctxAreaFk, ctx_area_nk: ctxAreaNk }: Fields): HolidayCursor {
  if (typeof ctxAreaFk === 'string' && typeof ctxAreaNk === 'string' && ctxAreaNk.trim() !== '') {
    return { ctxAreaFk, ctxAreaNk };
  }
  throw unreadable('announces a further page and does not say where it begins');
}

type Fields = Readonly<Record<string, unknown>>;

function readObject(body: string): Fields {
  let content: unknown;
  try {
    content = JSON.parse(body);
  } catch (cause) {
    throw unreadable(`is not JSON: ${JSON.stringify(shown(body, 60))}`, cause);
  }
  if (isObject(content)) return content;
  throw unreadable('is no JSON object');
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function refused({ msg_cd: code, msg1: words }: Fields): MarketDataError {
  const said = [code, words].filter((text) => typeof text === 'string').join(' ');
  return new MarketDataError(
    'CONNECTION_REFUSED_BY_VENUE',
    `KIS refuses to name its holidays: ${shown(said, 120) || 'it does not say why'}`,
    { context: { kis_code: typeof code === 'string' && CODE.test(code) ? code : '' }, retryable: true },
  );
}

const CODE = /^[A-Z]{2,5}\d{4,6}$/;

/** The beginning, without anything that may be a key or a token; cut first, for the whole may be a megabyte. */
function shown(text: string, characters: number): string {
  return redact(text.slice(0, 2_000))
    .replace(/[\w.+/=-]{20,}/g, '[redacted]')
    .slice(0, characters);
}

function unreadable(what: string, cause?: unknown): MarketDataError {
  return new MarketDataError('VALIDATION_RECORD', `the answer of ${HOLIDAY_CALL.trId} ${what}`, { cause });
}
