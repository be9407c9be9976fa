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
    await holidays.#begin();
    return holidays;
  }

  /**
   * Asks KIS as soon as it may be, and daily from then on. Resolves when the signal aborts, when nobody is asked, or when KIS refuses
   * the key.
   */
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
        // A refused key stays refused, and its sessions end over it too.
        if (error.code === 'CONFIG_ACCOUNT') return;
        waitMs = UNREACHABLE_AGAIN_MS;
      }
    }
  }

  /** What a clock wrote that was ahead counts as asked now, and is written so: the next question must not wait for that time. */
  async #begin(): Promise<void> {
    const kept = await this.#read();
    const now = this.#clock.now();
    if (kept.askedAt === undefined || kept.askedAt <= now) return this.#learn(kept);
    this.#learn({ ...kept, askedAt: now });
    await this.#keep();
  }

  /** Returns how long, ms, to leave KIS alone. */
  async #update(caller: HolidayCaller, signal: AbortSignal): Promise<number> {
    await this.#pickUp();
    if (this.#waitMs() > 0) return this.#waitMs();
    // It may be hours away, and without one nobody is asked.
    await caller.credentials.token(signal);
    await this.#pickUp();
    if (this.#waitMs() > 0) return this.#waitMs();
    return await this.#ask(caller, signal);
  }

  /** Another process of this machine may have asked meanwhile. */
  async #pickUp(): Promise<void> {
    const kept = await this.#read();
    const { askedAt = 0 } = kept;
    if (askedAt > (this.#known.askedAt ?? 0) && askedAt <= this.#clock.now()) this.#learn(kept);
  }

  async #ask(caller: HolidayCaller, signal: AbortSignal): Promise<number> {
    const before = this.#known;
    const askedAt = this.#clock.now();
    // Written first: whoever begins meanwhile, or after a crash, leaves KIS alone.
    this.#learn({ ...before, askedAt });
    await this.#keep();
    try {
      const days = await fetchHolidays(caller, koreanDate(askedAt - DAYS_BACK * DAY_MS), signal);
      this.#learn({ askedAt, days });
      await this.#keep();
    } catch (cause) {
      if (signal.aborted || neverArrived(cause)) {
        this.#learn(before);
        await this.#keep();
        throw cause;
      }
      this.#options.onFault(asMarketDataError(cause, 'CONNECTION_FAILED'));
    }
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

  /** A clock that is set back meanwhile does not put the next question off by more than a day. */
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
