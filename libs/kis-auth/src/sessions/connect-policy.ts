/** How a session with the real-time server, or the try to open one, ended. */
export type ConnectOutcome =
  /** It may have been opened; its end is not known. */
  | 'started'
  /** The key was accepted and data or PINGPONG came. */
  | 'confirmed'
  /** Closed by us. */
  | 'closed'
  /** Lost, or never opened. */
  | 'lost'
  /** OPSP8996, "ALREADY IN USE appkey". */
  | 'in-use'
  /** OPSP0011 for a key from an earlier day or process. */
  | 'approval-refused'
  /** OPSP0011 for a key that was issued for this try. */
  | 'fresh-approval-refused'
  /** The app key itself: OPSP0010, or what `kisAction` calls `bad-key`, `wrong-host` or `denied`. */
  | 'key-refused';

export interface ConnectAttempt {
  /** Of the outcome, ms since the epoch. */
  readonly at: number;
  readonly outcome: ConnectOutcome;
  /** Sessions in a row that ended without a confirmation. */
  readonly failures: number;
  /** Nobody opens a session before. */
  readonly notBefore: number;
  /** Of key and secret: a refusal of the key does not hold for others. */
  readonly fingerprint: string;
}

/** 18 to 20 s of quiet after an abnormal close recovered; eight tries a second apart locked the slot for hours (2026-05-13). */
const AFTER_LOSS_MS = 20_000;
const AFTER_LOSS_CAP_MS = 5 * 60_000;
const IN_USE_MS = 60_000;
const IN_USE_JITTER_MS = 30_000;
/** OPSP0011 is also sent outside the hours of service. */
const FRESH_APPROVAL_REFUSED_MS = 10 * 60_000;
const KEY_REFUSED_MS = 3_600_000;

/**
 * What is known after an outcome. Endless connecting and disconnecting has address and key blocked (the portal's notices of
 * 2026-02-24 and 2026-05-18), so what ends without a confirmation doubles the wait, through restarts too.
 */
export function connectAttempt(
  before: ConnectAttempt | undefined,
  outcome: ConnectOutcome,
  fingerprint: string,
  now: number,
  random: number,
): ConnectAttempt {
  const failures = failuresAfter(before, outcome);
  return { at: now, outcome, failures, notBefore: Math.ceil(now + waitAfter(outcome, failures, random)), fingerprint };
}

/** When the next session may be opened, ms since the epoch; 0 for at once. */
export function mayConnectAt(last: ConnectAttempt | undefined, fingerprint: string): number {
  if (last === undefined) return 0;
  if (last.outcome === 'key-refused' && last.fingerprint !== fingerprint) return last.at + AFTER_LOSS_MS;
  return last.notBefore;
}

function failuresAfter(before: ConnectAttempt | undefined, outcome: ConnectOutcome): number {
  const failures = before?.failures ?? 0;
  // A session that began is a failure until it is confirmed, so its end counts no second time.
  if (outcome === 'started') return failures + 1;
  return outcome === 'confirmed' ? 0 : failures;
}

function waitAfter(outcome: ConnectOutcome, failures: number, random: number): number {
  switch (outcome) {
    case 'closed':
      return 0;
    case 'started':
    case 'confirmed':
    case 'lost':
    case 'approval-refused':
      return Math.min(AFTER_LOSS_CAP_MS, AFTER_LOSS_MS * 2 ** Math.min(Math.max(failures - 1, 0), 10));
    case 'in-use':
      return IN_USE_MS + IN_USE_JITTER_MS * random;
    case 'fresh-approval-refused':
      return FRESH_APPROVAL_REFUSED_MS;
    case 'key-refused':
      return KEY_REFUSED_MS;
  }
}
