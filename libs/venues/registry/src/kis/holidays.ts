import { systemClock, type AnswerStep, type Clock, type SharedAnswer } from '@aipx/kis-auth';
import { asMarketDataError, MarketDataError } from '@aipx/market-model';
import { parseTradingDays, type SessionCalendar, type SpecialDays } from '@aipx/venue-kis';
import { fetchHolidays, neverArrived, type HolidayCaller } from './holiday-call.js';

export interface HolidayOptions {
  /** Goes by the user's days already, and learns the others as they become known. */
  readonly calendar: SessionCalendar;
  /** Days as the user has set them, half days and late openings among them: they count more than what KIS says. */
  readonly ownDays: SpecialDays;
  /** What KIS has said, kept through restarts and shared with other processes. */
  readonly answer: SharedAnswer;
  /** Absent: nobody is asked, and what others were told alone counts. */
  readonly caller?: HolidayCaller;
  /** Something failed; what is known stays in use. */
  readonly onFault: (error: MarketDataError) => void;
  readonly clock?: Clock;
}

const DAY_MS = 86_400_000;
/** Where the question cannot have arrived, or its answer was not waited for. */
const ASK_AGAIN_MS = 10 * 60_000;
/** By whoever never asks: Redis has yet to be reached, or nobody has asked yet. */
const LOOK_AGAIN_MS = 10_000;
const LOOK_SELDOM_MS = 3_600_000;
/** Business dates are looked for in the past too, over the longest holidays. */
const DAYS_BACK = 30;
const KOREA_AHEAD_MS = 9 * 3_600_000;

/** Keeps a calendar up to date with the holidays that KIS names: from what is kept at once, and from KIS once a day. */
export class Holidays {
  readonly #options: HolidayOptions;
  readonly #clock: Clock;
  /** What the calendar goes by. */
  #text: string | undefined;

  private constructor(options: HolidayOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /** The calendar goes by what is kept from here on. */
  static async open(options: HolidayOptions): Promise<Holidays> {
    const holidays = new Holidays(options);
    await holidays.#learn();
    return holidays;
  }

  /** Asks KIS, or learns what others were told, daily. Resolves when the signal aborts or KIS refuses the key. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const { waitMs, failure } = await this.#step(signal).catch((cause: unknown) => ({
        waitMs: ASK_AGAIN_MS,
        failure: cause,
      }));
      if (signal.aborted) return;
      await this.#learn();
      if (failure !== undefined && this.#isFinal(failure)) return;
      await this.#clock.sleep(waitMs, signal).catch(() => undefined);
    }
  }

  async #step(signal: AbortSignal): Promise<AnswerStep> {
    const { answer, caller } = this.#options;
    if (caller === undefined) {
      return { waitMs: (await answer.newest()) === undefined ? LOOK_AGAIN_MS : LOOK_SELDOM_MS };
    }
    const question = {
      prepare: () => caller.credentials.token(signal),
      ask: async (askedAt: number) =>
        textOf(await fetchHolidays(caller, koreanDate(askedAt - DAYS_BACK * DAY_MS), signal)),
      restMs: (failure: unknown) => (signal.aborted || neverArrived(failure) ? ASK_AGAIN_MS : DAY_MS),
    };
    return await answer.step(question, signal);
  }

  /** A refused key stays refused, and its sessions end over it too. */
  #isFinal(failure: unknown): boolean {
    const error = asMarketDataError(failure, 'CONNECTION_FAILED');
    this.#options.onFault(error);
    return error.code === 'CONFIG_ACCOUNT';
  }

  async #learn(): Promise<void> {
    const { answer, calendar, onFault, ownDays } = this.#options;
    const { text } = (await answer.newest()) ?? {};
    if (text === undefined || text === this.#text) return;
    this.#text = text;
    try {
      calendar.replaceDays(new Map([...parseTradingDays(text), ...ownDays]));
    } catch (cause) {
      const { message } = asMarketDataError(cause, 'STORE_DAMAGED');
      onFault(new MarketDataError('STORE_DAMAGED', `the kept holidays cannot be read: ${message}`, { cause }));
    }
  }
}

/** In the form of a calendar file. */
function textOf(days: SpecialDays): string {
  return JSON.stringify({
    days: [...days].map(([date, day]) => ({ date: withDashes(date), open: day !== undefined })),
  });
}

function withDashes(date: string): string {
  return `${date.slice(0, 4)}-${date.slice(4, 6)}-${date.slice(6)}`;
}

/** `YYYYMMDD`. */
function koreanDate(millis: number): string {
  return new Date(millis + KOREA_AHEAD_MS).toISOString().slice(0, 10).replaceAll('-', '');
}
