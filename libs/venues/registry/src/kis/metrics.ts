import type { CredentialStatistics, KisAuth } from '@aipx/kis-auth';
import type { VenueMetric } from '@aipx/venue';

/** Names of accounts are the operator's, codes those of KIS' tables: the series are bounded. */
const LABELS = ['account', 'credential'];

/** What became of the tokens and approval keys of this process. */
export function kisMetrics({ keys }: Pick<KisAuth, 'keys'>): readonly VenueMetric[] {
  const series = (valueOf: (statistics: CredentialStatistics) => number | undefined): VenueMetric['read'] => {
    return () => credentialsOf(keys).flatMap(({ labels, statistics }) => sample(labels, valueOf(statistics)));
  };
  return [
    {
      name: 'kis_token_age_seconds',
      help: 'Since the issue of the token or approval key that is held',
      kind: 'gauge',
      labels: LABELS,
      read: series(({ issuedAt }) => (issuedAt === undefined ? undefined : (Date.now() - issuedAt) / 1_000)),
    },
    {
      name: 'kis_token_issues_total',
      help: 'Issued by KIS to this process; for tokens each one is a message to the owner’s telephone',
      kind: 'counter',
      labels: LABELS,
      read: series(({ issues }) => issues),
    },
    {
      name: 'kis_token_refreshes_total',
      help: 'Those of them that replaced a valid one before its end',
      kind: 'counter',
      labels: LABELS,
      read: series(({ refreshes }) => refreshes),
    },
    {
      name: 'kis_token_waits_total',
      help: 'Times that there was none and one had to be waited for',
      kind: 'counter',
      labels: LABELS,
      read: series(({ waits }) => waits),
    },
    {
      name: 'kis_token_errors_total',
      help: 'Failed attempts to be issued one, by KIS’ code',
      kind: 'counter',
      labels: [...LABELS, 'code'],
      read: () =>
        credentialsOf(keys).flatMap(({ labels, statistics: { errors } }) =>
          Object.entries(errors).map(([code, value]) => ({ labels: { ...labels, code }, value })),
        ),
    },
  ];
}

function credentialsOf(keys: KisAuth['keys']) {
  return keys.flatMap(({ statistics: { account, token, approvalKey } }) => [
    { labels: { account, credential: 'token' }, statistics: token },
    { labels: { account, credential: 'approval_key' }, statistics: approvalKey },
  ]);
}

function sample(labels: Readonly<Record<string, string>>, value: number | undefined) {
  return value === undefined ? [] : [{ labels, value }];
}
