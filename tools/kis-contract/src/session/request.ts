/** One stream of one code. */
export interface Registration {
  readonly trId: string;
  readonly code: string;
}

export type RequestKind = 'register' | 'unregister';

/** There is no form for several. Official docstrings that say "0" for unregistering are stale. */
export function request(kind: RequestKind, approvalKey: string, { trId, code }: Registration): string {
  return JSON.stringify({
    header: {
      approval_key: approvalKey,
      custtype: 'P',
      tr_type: kind === 'register' ? '1' : '2',
      'content-type': 'utf-8',
    },
    body: { input: { tr_id: trId, tr_key: code } },
  });
}

export function nameOf({ trId, code }: Registration): string {
  return `${trId} ${code}`;
}
