import { seededRandom } from '@aipx/venue/simulation';
import { secondOf, timeOf } from './clock.js';

/** A stretch of the day in which an issue does not trade as usual. */
export interface Halt {
  readonly code: string;
  /** HHMMSS KST, every simulated day. */
  readonly from: string;
  readonly to: string;
  /** `vi`: an auction of two minutes after a jump of the price; `halt`: nothing at all. */
  readonly kind: 'vi' | 'halt';
}

/** A halt of one issue, in seconds since midnight. */
export interface HaltSpan {
  readonly from: number;
  readonly to: number;
  readonly kind: Halt['kind'];
}

const VI_SECONDS = 120;

/** One issue in eight has a VI a day, at a time of its own. */
export function usualHalts(codes: readonly string[]): readonly Halt[] {
  return codes.flatMap((code): Halt[] => {
    const random = seededRandom(0, `vi ${code}`);
    if (random() >= 1 / 8) return [];
    const from = secondOf('093000') + Math.floor(random() * 5 * 3600);
    return [{ code, from: timeOf(from), to: timeOf(from + VI_SECONDS), kind: 'vi' }];
  });
}

/** The halts of an issue, in the order of the day. */
export function spansOf(halts: readonly Halt[], code: string): readonly HaltSpan[] {
  return halts
    .filter((halt) => halt.code === code)
    .map(({ from, to, kind }) => ({ from: secondOf(from), to: secondOf(to), kind }))
    .sort((one, other) => one.from - other.from);
}

/** The halt that holds at a second of the day. */
export function haltAt(spans: readonly HaltSpan[], second: number): HaltSpan | undefined {
  return spans.find(({ from, to }) => from <= second && second < to);
}
