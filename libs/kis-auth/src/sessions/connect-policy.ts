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
  /** Sessions in a row of which none has stood for a while. */
  readonly failures: number;
  /** Nobody opens a session before. */
  readonly notBefore: number;
  /** Of key and secret: a refusal of the key does not hold for others. */
  readonly fingerprint: string;
  /** When sessions were opened in the last ten minutes, ms since the epoch, oldest first. */
  readonly openings?: readonly number[];
  /** The process that wrote it. */
  readonly by?: string;
}

/** 18 to 20 s of quiet after an abnormal close recovered; eight tries a second apart locked the slot for hours (2026-05-13). */
const AFTER_LOSS_MS = 20_000;
const AFTER_LOSS_CAP_MS = 5 * 60_000;
const STOOD_MS = 5 * 60_000;
const IN_USE_MS = 60_000;
const IN_USE_JITTER_MS = 30_000;
/** OPSP0011 is also sent outside the hours of service, all night. */
const FRESH_APPROVAL_REFUSED_MS = 10 * 60_000;
const FRESH_APPROVAL_REFUSED_CAP_MS = 40 * 60_000;
const KEY_REFUSED_MS = 3_600_000;
/** Orderly ends too make a loop of restarts: so many openings within this time are as people and deployments make them. */
const FREE_OPENINGS = 3;
const OPENINGS_WITHIN_MS = 10 * 60_000;
const MAX_OPENINGS = 16;

/**
 * What is known after an outcome. Endless connecting and disconnecting has address and key blocked (the portal's notices of
 * 2026-02-24 and 2026-05-18), so what ends soon doubles the wait, confirmed or not, through restarts too.
 */
export function connectAttempt(
  before: ConnectAttempt | undefined,
  outcome: ConnectOutcome,
  fingerprint: string,
  now: number,
  random: number,
): ConnectAttempt {
  const failures = failuresAfter(before, outcome, now);
  const openings = openingsAfter(before, outcome, now);
  const after = now + waitAfter(outcome, failures, random);
  const notBefore = Math.ceil(Math.max(after, (openings.at(-1) ?? 0) + waitBetween(openings.length)));
  return { at: now, outcome, failures, notBefore, fingerprint, openings };
}

/** Whether a session may stand still of which nobody has written the end. */
export function isOpen({ outcome }: ConnectAttempt): boolean {
  return outcome === 'started' || outcome === 'confirmed';
}

/** When the next session may be opened, ms since the epoch; 0 for at once. */
export function mayConnectAt(last: ConnectAttempt | undefined, fingerprint: string): number {
  if (last === undefined) return 0;
  if (last.outcome === 'key-refused' && last.fingerprint !== fingerprint) return last.at + AFTER_LOSS_MS;
  return last.notBefore;
}

function failuresAfter(before: ConnectAttempt | undefined, outcome: ConnectOutcome, now: number): number {
  const failures = before === undefined || isWell(before, outcome, now) ? 0 : before.failures;
  // A session that began is a failure until it has stood, so its end counts no second time.
  return outcome === 'started' ? failures + 1 : failures;
}

/** KIS confirms sessions that it drops seconds later, and a loop of those has a key blocked too. */
function isWell({ outcome: last, at }: ConnectAttempt, outcome: ConnectOutcome, now: number): boolean {
  return last === 'confirmed' && (outcome === 'closed' || now - at >= STOOD_MS);
}

function openingsAfter(before: ConnectAttempt | undefined, outcome: ConnectOutcome, now: number): readonly number[] {
  // A clock that was set back puts none of them into the future.
  const earlier = (before?.openings ?? []).map((at) => Math.min(at, now));
  const all = outcome === 'started' ? [...earlier, now] : earlier;
  return all.filter((at) => at > now - OPENINGS_WITHIN_MS).slice(-MAX_OPENINGS);
}

/** From one opening to the next, whatever becomes of them. */
function waitBetween(openings: number): number {
  return openings < FREE_OPENINGS ? 0 : doubled(AFTER_LOSS_MS, openings - FREE_OPENINGS, AFTER_LOSS_CAP_MS);
}

function doubled(ms: number, times: number, capMs: number): number {
  return Math.min(capMs, ms * 2 ** Math.min(Math.max(times, 0), 10));
}

function waitAfter(outcome: ConnectOutcome, failures: number, random: number): number {
  switch (outcome) {
    case 'closed':
      return 0;
    case 'started':
    case 'confirmed':
    case 'lost':
    case 'approval-refused':
      return doubled(AFTER_LOSS_MS, failures - 1, AFTER_LOSS_CAP_MS);
    case 'in-use':
      return IN_USE_MS + IN_USE_JITTER_MS * random;
    case 'fresh-approval-refused':
      return doubled(FRESH_APPROVAL_REFUSED_MS, failures - 1, FRESH_APPROVAL_REFUSED_CAP_MS);
    case 'key-refused':
      return KEY_REFUSED_MS;
  }
}
