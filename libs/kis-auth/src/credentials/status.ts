import { MarketDataError } from '@aipx/market-model';
import { kisAction } from '../oauth/codes.js';
import { codeOf } from './issue-policy.js';

/** What became of one credential in this process; a snapshot without anything secret. Times in ms since the epoch. */
export interface CredentialStatistics {
  /** Of the credential that is held now. */
  readonly issuedAt?: number;
  readonly expiresAt?: number;
  /** Asked of KIS with success, first ones and refreshes. */
  readonly issues: number;
  /** Those of them that took the place of a valid one before its end. */
  readonly refreshes: number;
  /** Times that none was there at once, or none fresher in time for the refresh. */
  readonly waits: number;
  /**
   * Failed attempts by KIS' code, if the portal's tables have it; else `network` for no answer or a broken one, `store` for a
   * store that was away, and `other`.
   */
  readonly errors: Readonly<Record<string, number>>;
  /** Why it waits now, in words. */
  readonly waitingFor?: string;
  /**
   * Why KIS issued none when it was asked last, here or elsewhere with the same secret, in words; from when this process waits over
   * it until one is had.
   */
  readonly failure?: string;
}

/** The same while it is counted. */
export interface CredentialStatus {
  issuedAt: number | undefined;
  expiresAt: number | undefined;
  issues: number;
  refreshes: number;
  waits: number;
  waitingFor: string | undefined;
  failure: string | undefined;
  readonly errors: Record<string, number>;
}

export function emptyStatus(): CredentialStatus {
  return {
    issuedAt: undefined,
    expiresAt: undefined,
    issues: 0,
    refreshes: 0,
    waits: 0,
    waitingFor: undefined,
    failure: undefined,
    errors: {},
  };
}

export function statisticsOf(status: CredentialStatus): CredentialStatistics {
  const { issuedAt, expiresAt, issues, refreshes, waits, errors, waitingFor, failure } = status;
  return {
    issues,
    refreshes,
    waits,
    errors: { ...errors },
    ...(issuedAt !== undefined && { issuedAt }),
    ...(expiresAt !== undefined && { expiresAt }),
    ...(waitingFor !== undefined && { waitingFor }),
    ...(failure !== undefined && { failure }),
  };
}

/** Under which name an error is counted: one of a few hundred, whatever KIS may send. */
export function countedAs(error: unknown): string {
  const code = codeOf(error);
  if (code !== undefined) return kisAction(code) === undefined ? 'other' : code;
  if (!(error instanceof MarketDataError)) return 'other';
  return OURS[error.code] ?? 'other';
}

const OURS: Readonly<Record<string, string>> = { CONNECTION_FAILED: 'network', STORE_UNAVAILABLE: 'store' };
