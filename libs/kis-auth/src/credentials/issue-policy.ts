import { asMarketDataError, MarketDataError } from '@aipx/market-model';
import { kisAction } from '../oauth/codes.js';
import { isFinal } from '../oauth/refusal.js';
import type { CredentialKind } from './credential.js';

/** What became of asking KIS for a token or an approval key; shared, so that no restart forgets it. Times in ms since the epoch. */
export interface IssueAttempt {
  readonly at: number;
  /** `STARTED` (also for ever, if the process died over it), `ISSUED`, `FAILED` without an answer, or KIS' code. */
  readonly outcome: string;
  /** Failed ones in a row. */
  readonly failures: number;
  /** Why it failed, in words; absent where it did not, or only a minute was not up. Nothing secret. */
  readonly reason?: string;
  /** Nobody asks before. */
  readonly notBefore: number;
  /** Of key and secret: a final refusal does not hold for others. */
  readonly fingerprint: string;
}

/** "1 per minute" (official samples), counted by KIS' clock: a second more, and up to four so that not all come together. */
const TOKEN_GAP_MS = 61_000;
const TOKEN_GAP_JITTER_MS = 4_000;
/** "1 per second" (the portal's notice of 2026-04-20). */
const APPROVAL_GAP_MS = 1_100;
const FAILURE_FLOOR_MS = 2_000;
const FAILURE_CAP_MS = 15 * 60_000;
const FINAL_MS = 3_600_000;
/** Of a reason that is kept. */
const MOST_CHARACTERS = 300;

/** The record to write before KIS is asked: if the process dies now, the next one knows that it may have been asked. */
export function attemptStarted(
  kind: CredentialKind,
  before: IssueAttempt | undefined,
  fingerprint: string,
  now: number,
  random: number,
): IssueAttempt {
  return {
    at: now,
    outcome: 'STARTED',
    failures: before?.failures ?? 0,
    notBefore: now + gap(kind, random),
    fingerprint,
  };
}

/** KIS counts from when the request came to it, which may have been just now. */
export function attemptIssued(kind: CredentialKind, started: IssueAttempt, now: number, random: number): IssueAttempt {
  return { ...started, outcome: 'ISSUED', failures: 0, notBefore: now + gap(kind, random) };
}

export function attemptFailed(
  kind: CredentialKind,
  started: IssueAttempt,
  error: unknown,
  now: number,
  random: number,
): IssueAttempt {
  const code = codeOf(error);
  const reason = asMarketDataError(error, 'CONNECTION_FAILED').message.slice(0, MOST_CHARACTERS);
  const failed = { ...started, outcome: code ?? 'FAILED', failures: started.failures + 1 };
  if (code !== undefined && isFinal(code)) return { ...failed, reason, notBefore: now + FINAL_MS };
  // The minute is not up, for whoever asked: asking was no failure of KIS.
  const isTooSoon = code !== undefined && kisAction(code) === 'wait-a-minute';
  const growing = isTooSoon
    ? TOKEN_GAP_MS
    : Math.min(FAILURE_CAP_MS, FAILURE_FLOOR_MS * 2 ** Math.min(failed.failures, 20));
  const wait = Math.max(growing * (1 + random / 5), isTooSoon ? 0 : gap(kind, random));
  return { ...failed, ...(!isTooSoon && { reason }), notBefore: Math.ceil(now + wait) };
}

/** When KIS may be asked again, ms since the epoch; 0 for at once. */
export function mayIssueAt(kind: CredentialKind, last: IssueAttempt | undefined, fingerprint: string): number {
  if (last === undefined) return 0;
  if (isFinal(last.outcome) && last.fingerprint !== fingerprint) return last.at + gap(kind, 0);
  return last.notBefore;
}

/** The code with which KIS refused these credentials for good within the last hour. */
export function finalRefusal(last: IssueAttempt | undefined, fingerprint: string, now: number): string | undefined {
  const holds = last !== undefined && isFinal(last.outcome) && last.fingerprint === fingerprint && now < last.notBefore;
  return holds ? last.outcome : undefined;
}

/** KIS' code in an error of `OAuthClient`. */
export function codeOf(error: unknown): string | undefined {
  const code = error instanceof MarketDataError ? error.context['kis_code'] : undefined;
  return typeof code === 'string' ? code : undefined;
}

function gap(kind: CredentialKind, random: number): number {
  return kind === 'token' ? Math.ceil(TOKEN_GAP_MS + TOKEN_GAP_JITTER_MS * random) : APPROVAL_GAP_MS;
}
