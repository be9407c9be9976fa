import type { Nanoseconds } from '@aipx/market-model';
import type { Segment } from '../layout/streams.js';
import { kstInstant, parseBusinessDate, type BusinessDate } from './kst.js';
import { USUAL_CLOSING, USUAL_OPENING, type TradingDay } from './trading-days.js';

export type Phase =
  /** Trades at yesterday's close, beside the opening auction. */
  | 'pre-open'
  | 'opening-auction'
  | 'pre-market'
  | 'continuous'
  | 'closing-auction'
  /** Trades at today's close. */
  | 'after-close'
  /** Auctions every ten minutes, until 2026-09-11. */
  | 'single-price'
  | 'after-market';

/** A stretch of a day in which a segment sends data. `to` is exclusive. */
export interface Session {
  readonly segment: Exclude<Segment, 'UN'>;
  readonly phase: Phase;
  readonly businessDate: BusinessDate;
  readonly from: Nanoseconds;
  readonly to: Nanoseconds;
}

/** A time of the ordinary day, and what moves it on special days. */
type Bound = readonly [clock: string, movesWith: 'opening' | 'closing' | 'nothing'];

interface SessionRule {
  readonly segment: Session['segment'];
  readonly phase: Phase;
  readonly from: Bound;
  readonly to: Bound;
  /** First and last day on which it is held. */
  readonly since?: BusinessDate;
  readonly until?: BusinessDate;
}

/** KRX replaced the single-price session by the after-market. */
const AFTER_MARKET_SINCE = parseBusinessDate('20260914');
const SINGLE_PRICE_UNTIL = parseBusinessDate('20260913');

/**
 * The sessions of a day (KRX, Nextrade and press). On the day of the college exam the regular hours move by one hour and the
 * after-hours end as ever. Nextrade's main market is said to start at 09:00:30, its after-market to trade from 15:40: not
 * confirmed, so the wider hours stand here.
 */
const RULES: readonly SessionRule[] = [
  { segment: 'NXT', phase: 'pre-market', from: ['08:00', 'nothing'], to: ['08:50', 'nothing'] },
  { segment: 'KRX', phase: 'pre-open', from: ['08:30', 'opening'], to: ['08:40', 'opening'] },
  { segment: 'KRX', phase: 'opening-auction', from: ['08:30', 'opening'], to: ['09:00', 'opening'] },
  { segment: 'KRX', phase: 'continuous', from: ['09:00', 'opening'], to: ['15:20', 'closing'] },
  { segment: 'NXT', phase: 'continuous', from: ['09:00', 'opening'], to: ['15:20', 'closing'] },
  { segment: 'KRX', phase: 'closing-auction', from: ['15:20', 'closing'], to: ['15:30', 'closing'] },
  { segment: 'NXT', phase: 'after-market', from: ['15:30', 'closing'], to: ['20:00', 'nothing'] },
  { segment: 'KRX', phase: 'after-close', from: ['15:40', 'closing'], to: ['16:00', 'closing'] },
  {
    segment: 'KRX',
    phase: 'single-price',
    from: ['16:00', 'closing'],
    to: ['18:00', 'nothing'],
    until: SINGLE_PRICE_UNTIL,
  },
  {
    segment: 'KRX',
    phase: 'after-market',
    from: ['16:00', 'closing'],
    to: ['20:00', 'nothing'],
    since: AFTER_MARKET_SINCE,
  },
];

/** The sessions of a trading day, by start. The unified segment has those of both. */
export function sessionsOf(segment: Segment, date: BusinessDate, day: TradingDay): readonly Session[] {
  return RULES.filter((rule) => segment === 'UN' || rule.segment === segment)
    .filter(({ since, until }) => (since === undefined || date >= since) && (until === undefined || date <= until))
    .filter(({ phase }) => phase !== 'pre-market' || day.nxtPreMarket)
    .map((rule) => ({
      segment: rule.segment,
      phase: rule.phase,
      businessDate: date,
      from: instantOf(rule.from, date, day),
      to: instantOf(rule.to, date, day),
    }))
    .filter(({ from, to }) => from < to)
    .sort((a, b) => Number(a.from - b.from));
}

function instantOf([clock, movesWith]: Bound, date: BusinessDate, day: TradingDay): Nanoseconds {
  const [hour, minute] = clock.split(':').map(Number) as [number, number];
  const move = { opening: day.opening - USUAL_OPENING, closing: day.closing - USUAL_CLOSING, nothing: 0 }[movesWith];
  return kstInstant(date, (hour * 60 + minute + move) * 60);
}
