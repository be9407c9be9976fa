/** Every check, in the order of the report. Each stands by this name beside its fact in `docs/venues/kis.md`. */
export const CHECKS = [
  'token.answer',
  'token.fields',
  'token.expiry',
  'token.limit',
  'approval.answer',
  'approval.key',
  'socket.open',
  'socket.kept',
  'subscription.answer',
  'subscription.cipher',
  'width.H0STCNT0',
  'width.H0STASP0',
  'width.H0STMKO0',
  'width.H0NXCNT0',
  'width.H0NXASP0',
  'width.H0NXMKO0',
  'width.H0UNCNT0',
  'width.H0UNASP0',
  'width.H0UNMKO0',
  'records.trade',
  'records.book',
  'records.readable',
  'values.null',
  'text.utf8',
  'trade.volumes',
  'trade.time',
  'codes.trade',
  'codes.book',
  'codes.control',
  'pingpong.form',
  'pingpong.interval',
  'unsubscription.answer',
  'calendar.answer',
  'calendar.days',
  'calendar.pages',
  'calendar.readable',
] as const;

export type Check = (typeof CHECKS)[number];
export type Verdict = 'ok' | 'DIFFERS' | 'NOT SEEN';

/** What came of one check. */
export interface Finding {
  readonly check: Check;
  readonly verdict: Verdict;
  /** What came; where it differs, what was expected before it; where it was not seen, why. */
  readonly says: string;
}

export function ok(check: Check, came: string): Finding {
  return { check, verdict: 'ok', says: came };
}

export function differs(check: Check, expected: string, came: string): Finding {
  return { check, verdict: 'DIFFERS', says: `expected ${expected}; came ${came}` };
}

export function notSeen(check: Check, why: string): Finding {
  return { check, verdict: 'NOT SEEN', says: why };
}

/** `ok` when there are no faults, else a difference that names the first few of them. */
export function judged(check: Check, expected: string, faults: readonly string[], came: string): Finding {
  return faults.length === 0 ? ok(check, came) : differs(check, expected, firstOf(faults));
}

const SHOWN = 3;

/** The first few of a list, and how many more there are. */
export function firstOf(texts: readonly string[]): string {
  const rest = texts.length - SHOWN;
  return texts.slice(0, SHOWN).join(', ') + (rest > 0 ? ` and ${rest} more` : '');
}
