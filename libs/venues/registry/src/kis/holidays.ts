import { systemClock, type Clock } from '@aipx/kis-auth';
import { asMarketDataError, type MarketDataError } from '@aipx/market-model';
import type { SessionCalendar, SpecialDays } from '@aipx/venue-kis';
import { fetchHolidays, neverArrived, type HolidayCaller } from './holiday-call.js';
import { HolidayFile, type KnownHolidays } from './holiday-file.js';

export interface HolidayOptions {
  /** Learns the days as they become known. */
  readonly calendar: SessionCalendar;
  /** Days as the user has set them, half days and late openings among them: they count more than what KIS says. */
  readonly ownDays: SpecialDays;
  /** Where answers are kept through restarts and while KIS is away. */
  readonly file: string;
  /** Absent: nobody is asked, and the file alone counts. */
  readonly caller?: HolidayCaller;
  /** Something failed; what is known stays in use. */
  readonly onFault: (error: MarketDataError) => void;
  readonly clock?: Clock;
}

const DAY_MS = 86_400_000;
/** KIS asks to be asked once a day at most (portal), whatever became of it. */
const ASK_EVERY_MS = DAY_MS;
/** Where the question cannot have arrived. */
const UNREACHABLE_AGAIN_MS = 10 * 60_000;
/** Business dates are looked for in the past too, over the longest holidays. */
const DAYS_BACK = 30;
const KOREA_AHEAD_MS = 9 * 3_600_000;

/** Keeps a calendar up to date with the holidays that KIS names: from a file at once, and from KIS once a day. */
export class Holidays {
  readonly #options: HolidayOptions;
  readonly #clock: Clock;
  readonly #file: HolidayFile;
  #known: KnownHolidays = { askedAt: undefined, days: new Map() };

  private constructor(options: HolidayOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#file = new HolidayFile(options.file);
  }

  /** The calendar goes by the user's days and by the file from here on. */
  static async open(options: HolidayOptions): Promise<Holidays> {
    const holidays = new Holidays(options);
    holidays.#learn(await holidays.#read());
    return holidays;
  }

  /** Asks KIS as soon as it may be, and daily from then on. Resolves when the signal aborts, or when nobody is asked. */
  async run(signal: AbortSignal): Promise<void> {
    const { caller, onFault } = this.#options;
    if (caller === undefined) return;
    for (let waitMs = this.#waitMs(); !signal.aborted;) {
      try {
        if (waitMs > 0) await this.#clock.sleep(waitMs, signal);
        waitMs = await this.#update(caller, signal);
      } catch (cause) {
        if (signal.aborted) return;
        const error = asMarketDataError(cause, 'CONNECTION_FAILED');
        onFault(error);
        waitMs = UNREACHABLE_AGAIN_MS;
      }
    }
  }

  /** @returns how long, ms, to leave KIS alone */
  async #update(caller: HolidayCaller, signal: AbortSignal): Promise<number> {
    // Another process of this machine may have asked meanwhile.
    const kept = await this.#read();
    if ((kept.askedAt ?? 0) > (this.#known.askedAt ?? 0)) this.#learn(kept);
    const waitMs = this.#waitMs();
    if (waitMs > 0) return waitMs;
    const askedAt = this.#clock.now();
    try {
      const days = await fetchHolidays(caller, koreanDate(askedAt - DAYS_BACK * DAY_MS), signal);
      this.#learn({ askedAt, days });
    } catch (cause) {
      if (signal.aborted || neverArrived(cause)) throw cause;
      this.#options.onFault(asMarketDataError(cause, 'CONNECTION_FAILED'));
      this.#learn({ ...this.#known, askedAt });
    }
    await this.#keep();
    return this.#waitMs();
  }

  #learn(known: KnownHolidays): void {
    const { calendar, ownDays } = this.#options;
    this.#known = known;
    calendar.replaceDays(new Map([...known.days, ...ownDays]));
  }

  async #read(): Promise<KnownHolidays> {
    try {
      return await this.#file.read();
    } catch (cause) {
      this.#options.onFault(asMarketDataError(cause, 'STORE_DAMAGED'));
      return { askedAt: undefined, days: new Map() };
    }
  }

  async #keep(): Promise<void> {
    try {
      await this.#file.write(this.#known);
    } catch (cause) {
      this.#options.onFault(asMarketDataError(cause, 'STORE_UNAVAILABLE'));
    }
  }

  /** A clock that was set back does not put the next question off by more than a day. */
  #waitMs(): number {
    const { askedAt } = this.#known;
    if (askedAt === undefined) return 0;
    return Math.min(ASK_EVERY_MS, Math.max(0, askedAt + ASK_EVERY_MS - this.#clock.now()));
  }
}

/** `YYYYMMDD`. */
function koreanDate(millis: number): string {
  return new Date(millis + KOREA_AHEAD_MS).toISOString().slice(0, 10).replaceAll('-', '');
}
