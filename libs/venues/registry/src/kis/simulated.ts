import { randomUUID } from 'node:crypto';
import { KisAccount, KisAccounts } from '@aipx/kis-auth';
import { parseBusinessDate, type SpecialDays, type TradingDay } from '@aipx/venue-kis';

/** Midnight to midnight. */
const WHOLE_DAY: TradingDay = { opening: 0, closing: 24 * 60, nxtPreMarket: true };
const DAYS = 400;

/** Keys that nobody has had before: what a machine remembers of earlier sessions does not hold for them. */
export function madeUpAccounts(count: number): KisAccounts {
  const names = Array.from({ length: count }, (_, at) => `simulated-${at + 1}`);
  return KisAccounts.of(names.map((name) => new KisAccount(name, 'real', randomUUID(), randomUUID())));
}

/** A market that never rests, from yesterday on; what was recorded before that is of the real one. */
export function wholeDays(): SpecialDays {
  const yesterday = Temporal.Now.plainDateISO('Asia/Seoul').subtract({ days: 1 });
  const dates = Array.from({ length: DAYS }, (_, days) => yesterday.add({ days }).toString().replaceAll('-', ''));
  return new Map(dates.map((date) => [parseBusinessDate(date), WHOLE_DAY]));
}
