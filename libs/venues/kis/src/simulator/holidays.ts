import { epochOf, venueTime } from './clock.js';

const DAY_MS = 86_400_000;
/** The venue's number is not known; small enough that a year takes several pages. */
const ROWS_A_PAGE = 100;
const DAYS_AHEAD = 366;

export interface HolidayPage {
  readonly rows: readonly Readonly<Record<string, string>>[];
  /** The first date of the next page, YYYYMMDD; `undefined`: this was the last. */
  readonly next: string | undefined;
}

/** Whether the market opens on a date, YYYYMMDD. */
export type OpenDays = (date: string, isWeekend: boolean) => boolean;

/**
 * The calendar from a date on, up to a year ahead of now.
 *
 * @param from YYYYMMDD @param now ms since the epoch
 * @returns `undefined` when `from` is no date
 */
export function holidayPage(from: string, now: number, isOpen: OpenDays): HolidayPage | undefined {
  if (!/^\d{8}$/.test(from)) return undefined;
  let at: number;
  try {
    at = epochOf(from, '000000');
  } catch {
    return undefined;
  }
  const end = now + DAYS_AHEAD * DAY_MS;
  const rows: Readonly<Record<string, string>>[] = [];
  for (; rows.length < ROWS_A_PAGE && at < end; at += DAY_MS) rows.push(row(at, isOpen));
  return { rows, next: at < end ? venueTime(at).date : undefined };
}

function row(at: number, isOpen: OpenDays): Readonly<Record<string, string>> {
  const { date } = venueTime(at);
  const weekday = new Date(at + 9 * 3_600_000).getUTCDay();
  const open = isOpen(date, weekday === 0 || weekday === 6) ? 'Y' : 'N';
  return {
    bass_dt: date,
    wday_dvsn_cd: String(weekday + 1).padStart(2, '0'),
    bzdy_yn: open,
    tr_day_yn: open,
    opnd_yn: open,
    sttl_day_yn: open,
  };
}
