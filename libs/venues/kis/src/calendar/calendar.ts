import { MarketDataError, toIsoText, type Channel, type Nanoseconds } from '@aipx/market-model';
import type { Stretch } from '@aipx/venue';
import type { Segment } from '../layout/streams.js';
import { businessDateFrom, kstDate, kstInstant, plainDate, secondOfDay, type BusinessDate } from './kst.js';
import { sessionsOf, type Phase, type Session } from './sessions.js';
import { tradingDay, USUAL_DAY, type SpecialDays } from './trading-days.js';

/** Longest row of closed days that is believed; the longest real ones, around New Year by the moon, have ten. */
const MAX_CLOSED_DAYS = 60;
const DAY_SECONDS = 86_400;
/** How far the venue's clock may be ahead of ours. Wide: a book dated a day back is worse than any that it lets pass. */
const CLOCK_TOLERANCE = 3_600n * 1_000_000_000n;
/** How long behind a day's last session what belongs to it may come. */
export const COMES_LATE = 300n * 1_000_000_000n;

const TRADES_GO_ON: readonly Phase[] = ['pre-market', 'continuous', 'after-market'];
const AUCTIONS: readonly Phase[] = ['opening-auction', 'closing-auction', 'single-price'];
const STEADY: Readonly<Record<Channel, ReadonlySet<Phase>>> = {
  tick: new Set(TRADES_GO_ON),
  orderbook: new Set([...TRADES_GO_ON, ...AUCTIONS]),
};

/**
 * When KRX and Nextrade trade, in Korea time whatever the zone of the process. A function of its list of special days and
 * of the instants it is asked about; the list may become a better one while it is used.
 */
export class SessionCalendar {
  #special: SpecialDays;
  /** The first and the last day that the list speaks of. Absent: it is empty. */
  #listed: { readonly first: BusinessDate; readonly last: BusinessDate } | undefined;
  #latest: { readonly from: Nanoseconds; readonly to: Nanoseconds; readonly date: BusinessDate } | undefined;

  constructor(special: SpecialDays = new Map()) {
    this.#special = special;
    this.#listed = rangeOf(special);
  }

  /** Goes by this list from now on. */
  replaceDays(special: SpecialDays): void {
    this.#special = special;
    this.#listed = rangeOf(special);
    this.#latest = undefined;
  }

  /** Whether any session is on. Of the unified segment: of KRX or of Nextrade. */
  isDataExpected(segment: Segment, instant: Nanoseconds): boolean {
    return this.sessionsAt(segment, instant).length > 0;
  }

  /** Whether trades, or books, come all the time: in an auction orders do and trades do not; at a fixed price neither. */
  isSteady(segment: Segment, channel: Channel, instant: Nanoseconds): boolean {
    return this.sessionsAt(segment, instant).some(({ phase }) => STEADY[channel].has(phase));
  }

  /** The sessions that are on, each with its end: none, or several where they overlap. */
  sessionsAt(segment: Segment, instant: Nanoseconds): readonly Session[] {
    return this.#sessionsOn(segment, kstDate(instant)).filter(({ from, to }) => from <= instant && instant < to);
  }

  /** The first session that starts after `instant`; `undefined` when none does within 60 days. */
  nextSession(segment: Segment, instant: Nanoseconds): Session | undefined {
    const today = kstDate(instant);
    for (let days = 0; days <= MAX_CLOSED_DAYS; days += 1) {
      const next = this.#sessionsOn(segment, today.add({ days })).find(({ from }) => from > instant);
      if (next !== undefined) return next;
    }
    return undefined;
  }

  /** Whether a day's first session is less than `before` away, or its last less than `after` ago. In between: yes. */
  isAroundSessions(segment: Segment, instant: Nanoseconds, before: Nanoseconds, after: Nanoseconds): boolean {
    const sessions = this.#sessionsOn(segment, kstDate(instant));
    return sessions.some(({ from }) => instant >= from - before) && sessions.some(({ to }) => instant < to + after);
  }

  /**
   * The part of a stretch in which data of this segment may have come; `undefined` where none can have. It may from a day's first
   * session until some minutes behind its last: what lies between moves on days whose hours the list does not tell. Any day outside
   * of the list may trade, a Saturday too.
   */
  possibleWithin(segment: Segment, { from, to }: Stretch): Stretch | undefined {
    // No row of closed days is as long.
    if (to - from > BigInt(MAX_CLOSED_DAYS * DAY_SECONDS) * 1_000_000_000n) return this.#upToLast(segment, from, to);
    const [firstDay, lastDay] = [kstDate(from).subtract({ days: 1 }), kstDate(to)];
    for (let day = firstDay; Temporal.PlainDate.compare(day, lastDay) <= 0; day = day.add({ days: 1 })) {
      const hours = this.#hoursOn(segment, day);
      if (hours === undefined || hours.to <= from) continue;
      if (hours.from <= from) return this.#upToLast(segment, from, to);
      return hours.from < to ? this.#upToLast(segment, hours.from, to) : undefined;
    }
    return undefined;
  }

  /** All sessions of a day, by start; none on a day without trading. */
  sessionsOn(segment: Segment, date: BusinessDate): readonly Session[] {
    return this.#sessionsOn(segment, plainDate(date));
  }

  /**
   * The trading day an instant belongs to: its day in Korea from midnight on, or the last trading day before a closed one.
   *
   * @throws {MarketDataError} `CONFIG_INVALID` when no day of the 60 before trades
   */
  businessDateOf(instant: Nanoseconds): BusinessDate {
    const latest = this.#latest;
    if (latest !== undefined && latest.from <= instant && instant < latest.to) return latest.date;
    const day = kstDate(instant);
    const date = this.#tradingDateUpTo(day, instant);
    const from = kstInstant(businessDateFrom(day), 0);
    this.#latest = { from, to: kstInstant(businessDateFrom(day), DAY_SECONDS), date };
    return date;
  }

  /**
   * The business date of a quote, which prints only its time: the latest that does not put the quote more than an hour into
   * the future. That may be the next day's, just before our midnight; or that of the trading day before: sent just before
   * midnight, or a leftover that comes with a subscription before the opening.
   *
   * @param time `HHMMSS`
   * @throws {MarketDataError} `VALIDATION_TIME` when `time` is none
   */
  dateOfQuote(time: string, receivedAt: Nanoseconds): BusinessDate {
    const latest = receivedAt + CLOCK_TOLERANCE;
    const date = this.businessDateOf(latest);
    if (kstInstant(date, secondOfDay(time)) <= latest) return date;
    return this.#tradingDateUpTo(plainDate(date).subtract({ days: 1 }), receivedAt);
  }

  #sessionsOn(segment: Segment, date: Temporal.PlainDate): readonly Session[] {
    const day = tradingDay(this.#special, date);
    return day === undefined ? [] : sessionsOf(segment, businessDateFrom(date), day);
  }

  /** @param from an instant at which data may come */
  #upToLast(segment: Segment, from: Nanoseconds, to: Nanoseconds): Stretch {
    for (let days = 0; days <= MAX_CLOSED_DAYS; days += 1) {
      const hours = this.#hoursOn(segment, kstDate(to).subtract({ days }));
      if (hours === undefined || hours.from >= to) continue;
      const last = hours.to < to ? hours.to : to;
      return { from, to: last > from ? last : from };
    }
    return { from, to };
  }

  /** In which data may come: of a day outside of the list those of a usual one. `undefined`: it does not trade. */
  #hoursOn(segment: Segment, date: Temporal.PlainDate): Stretch | undefined {
    const key = businessDateFrom(date);
    const isListed = this.#listed !== undefined && this.#listed.first <= key && key <= this.#listed.last;
    const day = isListed ? tradingDay(this.#special, date) : USUAL_DAY;
    const sessions = day === undefined ? [] : sessionsOf(segment, key, day);
    const [first] = sessions;
    const last = sessions.reduce((latest, { to }) => (to > latest ? to : latest), 0n);
    return first && { from: first.from, to: last + COMES_LATE };
  }

  #tradingDateUpTo(last: Temporal.PlainDate, asked: Nanoseconds): BusinessDate {
    for (let days = 0; days <= MAX_CLOSED_DAYS; days += 1) {
      const date = last.subtract({ days });
      if (tradingDay(this.#special, date) !== undefined) return businessDateFrom(date);
    }
    throw new MarketDataError(
      'CONFIG_INVALID',
      `trading calendar: no trading day in the ${MAX_CLOSED_DAYS} days before ${toIsoText(asked)}`,
    );
  }
}

/** Days are written so that their texts are in the order of time. */
function rangeOf(special: SpecialDays): { readonly first: BusinessDate; readonly last: BusinessDate } | undefined {
  let [first] = special.keys();
  let last = first;
  for (const date of special.keys()) {
    if (first !== undefined && date < first) first = date;
    if (last !== undefined && date > last) last = date;
  }
  return first === undefined || last === undefined ? undefined : { first, last };
}
