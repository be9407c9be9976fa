import type { HaltSpan } from './halts.js';

/** A change in the state of trading of one symbol, as the market-operation stream reports it. */
export interface Operation {
  /** Seconds since midnight KST. */
  readonly second: number;
  readonly halted: boolean;
  readonly interrupted: boolean;
  /** ANTC_MKOP_CLS_CODE: 311 opening auction begins, 112 ends, 121 closing auction begins, 129 ends; empty for a halt. */
  readonly auction: string;
}

const EVERY_DAY: readonly Operation[] = [
  { second: 8.5 * 3600, auction: '311' },
  { second: 9 * 3600, auction: '112' },
  { second: 15 * 3600 + 20 * 60, auction: '121' },
  { second: 15 * 3600 + 30 * 60, auction: '129' },
].map((change) => ({ ...change, halted: false, interrupted: false }));

/** What the stream reports of a symbol in a day, in order. */
export function operationsOf(halts: readonly HaltSpan[]): readonly Operation[] {
  const changes = halts.flatMap(({ from, to, kind }): Operation[] => [
    { second: from, halted: kind === 'halt', interrupted: kind === 'vi', auction: '' },
    { second: to, halted: false, interrupted: false, auction: '' },
  ]);
  return [...EVERY_DAY, ...changes].sort((one, other) => one.second - other.second);
}

/** As captured: ten values, the eleventh documented one absent. */
export function operationFields(code: string, { halted, interrupted, auction }: Operation): string[] {
  return [code, halted ? 'Y' : 'N', '(null)', '', auction, '', '', '55', interrupted ? 'Y' : 'N', 'N'];
}
