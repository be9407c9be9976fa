import type { KisAccess, KisAuth, LeaseHindrance } from '@aipx/kis-auth';
import type { OpenVenueStatus } from '@aipx/venue';

/** What stands between each key and its session. */
export function statusOf(auth: KisAuth, accesses: readonly KisAccess[]): OpenVenueStatus {
  const waits = accesses.filter(({ waitingFor }) => waitingFor !== undefined);
  const waitsFor = waits.map((access) => `account "${access.account.name}": ${reasonOf(auth, access)}`);
  return { waitsFor: auth.isAway && waits.length === 0 ? [`${auth.place} does not answer`] : waitsFor };
}

function leaseReason({ place }: KisAuth, hindrance: LeaseHindrance | undefined): string {
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

function reasonOf(auth: KisAuth, { account, waitingFor }: KisAccess): string {
  if (auth.isAway) return `${auth.place} does not answer`;
  const key = auth.keys.find((each) => each.account === account);
  if (waitingFor === 'lease') return leaseReason(auth, key?.statistics.leaseHindrance);
  if (waitingFor === 'turn') return `no session before ${new Date(key?.connectAttempts.nextAt ?? 0).toISOString()}`;
  return key?.statistics.approvalKey.waitingFor ?? 'an approval key is being issued';
}
