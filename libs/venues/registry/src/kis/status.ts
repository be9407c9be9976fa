import type { KisAccess, KisAuth } from '@aipx/kis-auth';
import type { OpenVenueStatus } from '@aipx/venue';

/** What stands between each key and its session. */
export function statusOf(auth: KisAuth, accesses: readonly KisAccess[]): OpenVenueStatus {
  const waits = accesses.filter(({ waitingFor }) => waitingFor !== undefined);
  const waitsFor = waits.map((access) => `account "${access.account.name}": ${reasonOf(auth, access)}`);
  const isAway = auth.isAway;
  const isStandingBy = !isAway && waits.length > 0 && waits.every(({ waitingFor }) => waitingFor === 'lease');
  return { waitsFor: isAway && waits.length === 0 ? [`${auth.place} does not answer`] : waitsFor, isStandingBy };
}

function reasonOf(auth: KisAuth, { account, waitingFor }: KisAccess): string {
  if (auth.isAway) return `${auth.place} does not answer`;
  if (waitingFor === 'lease') return 'another process has its session';
  const key = auth.keys.find((each) => each.account === account);
  if (waitingFor === 'turn') return `no session before ${new Date(key?.connectAttempts.nextAt ?? 0).toISOString()}`;
  return key?.statistics.approvalKey.waitingFor ?? 'an approval key is being issued';
}
