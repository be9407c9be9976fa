import { setTimeout as sleep } from 'node:timers/promises';
import { kisAction } from '@aipx/kis-auth';
import { asMarketDataError, MarketDataError } from '@aipx/market-model';
import {
  HOLIDAY_CALL,
  joinHolidayPages,
  readHolidayPage,
  type HolidayCursor,
  type HolidayPage,
  type SpecialDays,
} from '@aipx/venue-kis';

/** By whose key KIS is asked, and where. The REST server of simulated trading does not have the call. */
export interface HolidayCaller {
  readonly url: string;
  readonly account: { readonly apiKey: string; readonly apiSecret: string };
  readonly credentials: {
    token(signal: AbortSignal): Promise<string>;
    /** KIS refused it: the next call of `token` gives another, if there is one. */
    invalidateToken(token: string): void;
  };
  /** Of one request, answer included. @default 10000 */
  readonly timeoutMs?: number;
  /** Between two pages: a new customer may ask three times a second. @default 400 */
  readonly pageEveryMs?: number;
}

/** So many days are of use; KIS does not say where its calendar ends. */
const DAYS_OF_USE = 400;
/** A year takes four pages of a hundred days; how many a page has is not known. */
const MOST_PAGES = 60;
/** A page of a year has 50 KB. */
const MOST_BYTES = 1024 * 1024;

/**
 * Asks KIS for the trading days from a day on, a year and more, page by page. A token that has ended is replaced once.
 *
 * @param from `YYYYMMDD`
 * @throws {MarketDataError} `CONNECTION_FAILED` when KIS does not answer in time or not with what was asked for, else what
 * `readHolidayPage`, `joinHolidayPages` and `token` throw; or the signal's reason
 */
export async function fetchHolidays(caller: HolidayCaller, from: string, signal: AbortSignal): Promise<SpecialDays> {
  const pages: SpecialDays[] = [];
  let cursor: HolidayCursor | undefined;
  do {
    if (cursor !== undefined) await sleep(caller.pageEveryMs ?? 400, undefined, { signal });
    const { days, next } = await fetchPage(caller, from, cursor, signal).catch((cause: unknown) => {
      throw pages.length === 0 ? cause : interrupted(cause, pages.length + 1);
    });
    pages.push(days);
    cursor = pages.length < MOST_PAGES && countOf(pages) < DAYS_OF_USE ? next : undefined;
  } while (cursor !== undefined);
  return joinHolidayPages(pages);
}

/** Whether the question cannot have come to KIS, so that it may be asked again soon. */
export function neverArrived(error: unknown): boolean {
  if (error instanceof MarketDataError) {
    // Without a token nobody was asked; a later page comes after an answer.
    if (error.code === 'CONFIG_ACCOUNT') return true;
    if ('page' in error.context) return false;
  }
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (UNREACHABLE.has(String((cause as NodeJS.ErrnoException).code))) return true;
    if (cause instanceof AggregateError && cause.errors.some(neverArrived)) return true;
  }
  return false;
}

const UNREACHABLE = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

function interrupted(cause: unknown, page: number): MarketDataError {
  const { code, message, retryable } = asMarketDataError(cause, 'CONNECTION_FAILED');
  return new MarketDataError(code, `page ${page}: ${message}`, { cause, context: { page }, retryable });
}

function countOf(pages: readonly SpecialDays[]): number {
  return pages.reduce((sum, { size }) => sum + size, 0);
}

async function fetchPage(
  caller: HolidayCaller,
  from: string,
  cursor: HolidayCursor | undefined,
  signal: AbortSignal,
): Promise<HolidayPage> {
  const { credentials } = caller;
  const token = await credentials.token(signal);
  try {
    return await request(caller, token, from, cursor, signal);
  } catch (error) {
    if (kisAction(codeOf(error)) !== 'renew-token') throw error;
    credentials.invalidateToken(token);
    return await request(caller, await credentials.token(signal), from, cursor, signal);
  }
}

async function request(
  { url, account, timeoutMs = 10_000 }: HolidayCaller,
  token: string,
  from: string,
  cursor: HolidayCursor | undefined,
  signal: AbortSignal,
): Promise<HolidayPage> {
  const address = new URL(HOLIDAY_CALL.path, url);
  address.search = new URLSearchParams({
    BASS_DT: from,
    CTX_AREA_FK: cursor?.ctxAreaFk ?? '',
    CTX_AREA_NK: cursor?.ctxAreaNk ?? '',
  }).toString();
  try {
    const response = await fetch(address, {
      headers: {
        'content-type': 'application/json; charset=utf-8',
        authorization: `Bearer ${token}`,
        appkey: account.apiKey,
        appsecret: account.apiSecret,
        tr_id: HOLIDAY_CALL.trId,
        tr_cont: cursor === undefined ? '' : 'N',
        custtype: 'P',
      },
      // A secret goes to the host it belongs to and nowhere else.
      redirect: 'error',
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    });
    // KIS sends its errors as HTTP 500 with the body of an ordinary answer: the body decides.
    return readHolidayPage(await readText(response), response.headers.get('tr_cont') ?? '');
  } catch (cause) {
    signal.throwIfAborted();
    throw failure(cause, timeoutMs);
  }
}

function failure(cause: unknown, timeoutMs: number): MarketDataError {
  if (cause instanceof MarketDataError) return cause;
  const isTimeout = cause instanceof Error && cause.name === 'TimeoutError';
  const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
  const why = isTimeout
    ? `it did not answer within ${timeoutMs} ms`
    : asMarketDataError(inner, 'CONNECTION_FAILED').message;
  return new MarketDataError('CONNECTION_FAILED', `KIS could not be asked for its holidays: ${why}`, {
    cause,
    retryable: true,
  });
}

async function readText(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > MOST_BYTES) {
      throw new MarketDataError(
        'VALIDATION_RECORD',
        `the answer of ${HOLIDAY_CALL.trId} has more than ${MOST_BYTES} bytes`,
      );
    }
    text += decoder.decode(chunk, { stream: true });
  }
  return text;
}

function codeOf(error: unknown): string {
  return error instanceof MarketDataError ? String(error.context['kis_code'] ?? '') : '';
}
