import type {
  CredentialStatistics,
  KisAccess,
  KisAccount,
  KisAuth,
  KisKey,
  KisKeyStatistics,
  LeaseHindrance,
} from '@aipx/kis-auth';
import type { OpenVenueStatus } from '@aipx/venue';

const MOST_NAMED = 5;

/** What is looked at of the keys. */
export interface KeysInUse extends Pick<KisAuth, 'isAway' | 'place'> {
  readonly keys: readonly {
    readonly account: KisAccount;
    readonly takes: KisKey['takes'];
    /** Ms since the epoch. */
    readonly connectAttempts: { readonly nextAt: number };
    readonly statistics: Pick<KisKeyStatistics, 'lease' | 'leaseHindrance' | 'leaseFailure'> & {
      readonly approvalKey: Pick<CredentialStatistics, 'waitingFor' | 'failure'>;
    };
  }[];
}

export type AccessInUse = Pick<KisAccess, 'account' | 'waitingFor'>;

/** What stands between each key and its session. */
export function statusOf(auth: KeysInUse, accesses: readonly AccessInUse[]): OpenVenueStatus {
  const waits = accesses.filter(({ waitingFor }) => waitingFor !== undefined);
  const waitsFor = waits.map((access) => `account "${access.account.name}": ${reasonOf(auth, access)}`);
  const faults = waits.flatMap((access) => faultOf(auth, access) ?? []);
  const hasSession = auth.keys.some(({ statistics: { lease } }) => lease === 'held');
  const problem = hasSession ? renewalProblem(auth) : undefined;
  return {
    waitsFor: auth.isAway && !hasSession && waits.length === 0 ? [`${auth.place} does not answer`] : waitsFor,
    ...(faults.length > 0 && { faults }),
    ...(problem !== undefined && { risks: [unguarded(problem)] }),
  };
}

/** One that answers may refuse every renewal: without memory for it, or without the right to it. */
function renewalProblem({ isAway, place, keys }: KeysInUse): string | undefined {
  if (isAway) return `${place} does not answer`;
  return keys.find(({ statistics: { leaseFailure } }) => leaseFailure !== undefined)?.statistics.leaseFailure?.message;
}

/** Sessions go on without it. */
function unguarded(problem: string): string {
  return (
    `${problem}: the sessions go on, but their leases are not renewed, so a process that does reach it may open ` +
    'them too; a process that starts, after this one has ended as well, waits for it and records nothing'
  );
}

function faultOf(auth: KeysInUse, access: AccessInUse): string | undefined {
  if (auth.isAway) return undefined;
  const statistics = keyOf(auth, access.account)?.statistics;
  if (access.waitingFor === 'lease') return notRecorded(auth, access.account);
  const failure = access.waitingFor === 'approval-key' ? statistics?.approvalKey.failure : undefined;
  return failure && `account "${access.account.name}" has no approval key: ${failure}`;
}

/** Whoever waits for the key would wait for ever while the other one lives, and nobody records its streams. */
function notRecorded(auth: KeysInUse, account: KisAccount): string | undefined {
  const key = keyOf(auth, account);
  const recorded = recordedBy(auth);
  if (key?.statistics.leaseHindrance?.kind !== 'held' || recorded === undefined) return undefined;
  const notTaken = (key.takes ?? []).filter((name) => !recorded.has(name));
  if (notTaken.length === 0) return undefined;
  const more = notTaken.length > MOST_NAMED ? ` and ${notTaken.length - MOST_NAMED} more` : '';
  return (
    `nobody records ${notTaken.slice(0, MOST_NAMED).join(', ')}${more}: the process that has the session of account ` +
    `"${account.name}" does not take them; give this process another key, or all that share the key the same KIS_SEGMENT, ` +
    'MARKET_CHANNELS and MARKETS, in the same order'
  );
}

/** What goes by any of these keys, here or in the process that has it; `undefined` while one of those does not tell. */
function recordedBy({ keys }: KeysInUse): ReadonlySet<string> | undefined {
  const lists = keys.map(({ takes, statistics: { lease, leaseHindrance } }) => {
    if (lease === 'held') return takes;
    if (lease === 'none') return [];
    return leaseHindrance?.kind === 'held' ? leaseHindrance.takes : undefined;
  });
  return lists.some((list) => list === undefined) ? undefined : new Set(lists.flatMap((list) => list ?? []));
}

function keyOf({ keys }: KeysInUse, account: KisAccount): KeysInUse['keys'][number] | undefined {
  return keys.find((each) => each.account === account);
}

function leaseReason({ place }: KeysInUse, hindrance: LeaseHindrance | undefined): string {
  switch (hindrance?.kind) {
    case 'held':
      return 'another process has its session';
    case 'young-store':
      return `${place} has just begun or come back; holders of sessions are given the time to put their leases back`;
    case 'store':
      return hindrance.error.message;
    case undefined:
      return 'the right to its session is being asked for';
  }
}

function reasonOf(auth: KeysInUse, { account, waitingFor }: AccessInUse): string {
  if (auth.isAway) return `${auth.place} does not answer`;
  const key = keyOf(auth, account);
  if (waitingFor === 'lease') return leaseReason(auth, key?.statistics.leaseHindrance);
  if (waitingFor === 'turn') return `no session before ${new Date(key?.connectAttempts.nextAt ?? 0).toISOString()}`;
  return key?.statistics.approvalKey.waitingFor ?? 'an approval key is being issued';
}
