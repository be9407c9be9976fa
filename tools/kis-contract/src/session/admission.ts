import { setTimeout as sleep } from 'node:timers/promises';
import { kisAction, type ConnectOutcome, type KeyLease, type KisKey } from '@aipx/kis-auth';
import type { Session } from './session.ts';

const LEASE_WITHIN_MS = 5_000;
const NOTE_WAIT_AFTER_MS = 1_000;

/** The right to the key's one session; `undefined` when another process has it. @throws the signal's reason */
export async function claimLease(key: KisKey, signal: AbortSignal): Promise<KeyLease | undefined> {
  const late = AbortSignal.timeout(LEASE_WITHIN_MS);
  try {
    return await key.claimLease(AbortSignal.any([signal, late]));
  } catch (cause) {
    signal.throwIfAborted();
    if (late.aborted) return undefined;
    throw cause;
  }
}

/** Waits out what the key's last sessions ask for, those of other processes included. @throws the signal's reason */
export async function admitted(key: KisKey, note: (text: string) => void, signal: AbortSignal): Promise<void> {
  const done = new AbortController();
  const noted = sleep(NOTE_WAIT_AFTER_MS, undefined, { signal: AbortSignal.any([signal, done.signal]) }).then(
    () => note('waiting: the last session of this key ended in a way that asks for a pause (20 s to an hour)'),
    () => undefined,
  );
  try {
    await key.connectAttempts.admitted(signal);
  } finally {
    done.abort();
    await noted;
  }
}

/** Writes down how the session goes or went, unless the lease is lost: the attempts are its new holder's from then on. */
export async function reportOutcome(
  key: Pick<KisKey, 'connectAttempts'>,
  lease: Pick<KeyLease, 'lost'>,
  outcome: Exclude<ConnectOutcome, 'started'>,
): Promise<void> {
  if (!lease.lost.aborted) await key.connectAttempts.report(outcome);
}

/** What the key's next session, of whatever process, has to know of this one. */
export function outcomeOf({ lost, answers }: Session): Exclude<ConnectOutcome, 'started'> {
  const actions = new Set(answers.map(({ msgCd }) => kisAction(msgCd)));
  if (actions.has('session-in-use')) return 'in-use';
  if (actions.has('renew-approval-key')) return 'fresh-approval-refused';
  if (actions.has('bad-key')) return 'key-refused';
  return lost.aborted ? 'lost' : 'closed';
}
