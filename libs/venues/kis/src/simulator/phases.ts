import { secondOf } from './clock.js';

/** Where an order meets its counterpart: KRX, NXT, or both counted as one market. */
export type Segment = 'KRX' | 'NXT' | 'UN';

/** One stretch of a segment's day. */
export interface Phase {
  readonly from: number;
  /** `continuous`: trades and books; `auction`: books with expected prices; `print`: the auction's one trade; `fixed`: trades at the close. */
  readonly trading: 'none' | 'continuous' | 'auction' | 'print' | 'fixed';
  /** MARKET_CLS_CODE: 1 before, 2 regular, 3 after-market, 5 closing price. */
  readonly marketClass: string;
  /** NEW_MKOP_CLS_CODE. The value of the after-market is not confirmed by any capture. */
  readonly operation: string;
  /** HOUR_CLS_CODE: 0 in session, A closing auction, B opening auction, C auction within the session. */
  readonly hourClass: string;
  /** Whether its first trade is the print of an auction, with a burst of trades behind it. */
  readonly opensByAuction?: boolean;
}

type Line = readonly [
  from: string,
  trading: Phase['trading'],
  marketClass: string,
  operation: string,
  hourClass: string,
  opensByAuction?: boolean,
];

const NOTHING = ['none', '1', '10', '0'] as const;

const KRX: readonly Line[] = [
  ['000000', ...NOTHING],
  ['083000', 'auction', '1', '10', 'B'],
  ['090000', 'continuous', '2', '20', '0', true],
  ['152000', 'auction', '2', '20', 'A'],
  ['153000', 'print', '2', '20', '0'],
  ['154000', 'fixed', '5', '31', '0'],
  ['160000', 'continuous', '3', '30', '0'],
  ['200000', 'none', '3', '30', '0'],
];

const NXT: readonly Line[] = [
  ['000000', ...NOTHING],
  ['080000', 'continuous', '1', '10', '0'],
  ['085000', 'none', '1', '10', '0'],
  ['090000', 'continuous', '2', '20', '0'],
  ['152000', 'none', '2', '20', '0'],
  ['154000', 'continuous', '3', '30', '0'],
  ['200000', 'none', '3', '30', '0'],
];

const UNIFIED: readonly Line[] = [
  ['000000', ...NOTHING],
  ['080000', 'continuous', '1', '10', '0'],
  ['085000', 'auction', '1', '10', 'B'],
  ['090000', 'continuous', '2', '20', '0', true],
  ['152000', 'auction', '2', '20', 'A'],
  ['153000', 'print', '2', '20', '0'],
  ['154000', 'continuous', '3', '30', '0'],
  ['200000', 'none', '3', '30', '0'],
];

const PHASES: Readonly<Record<Segment, readonly Phase[]>> = {
  KRX: KRX.map(phaseOf),
  NXT: NXT.map(phaseOf),
  UN: UNIFIED.map(phaseOf),
};

/** Trading that never rests, for a first look at any hour. */
const ALWAYS: Phase = { from: 0, trading: 'continuous', marketClass: '2', operation: '20', hourClass: '0' };
const REST: Phase = { from: 0, trading: 'none', marketClass: '3', operation: '30', hourClass: '0' };

/** Which hours the simulated market keeps: those of the exchange, or none at all. */
export type Hours = 'exchange' | 'always';

/** @param second since midnight KST @param fund whether the issue is a fund, which the after-market leaves out */
export function phaseAt(segment: Segment, second: number, fund: boolean, hours: Hours): Phase {
  if (hours === 'always') return ALWAYS;
  const phase = PHASES[segment].findLast(({ from }) => from <= second) ?? REST;
  return fund && phase.marketClass === '3' ? REST : phase;
}

function phaseOf([from, trading, marketClass, operation, hourClass, opensByAuction = false]: Line): Phase {
  return { from: secondOf(from), trading, marketClass, operation, hourClass, opensByAuction };
}
