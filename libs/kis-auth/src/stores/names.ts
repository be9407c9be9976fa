import type { KisAccount } from '../accounts/kis-account.js';

export type StoredKind = 'token' | 'approval' | 'lock' | 'lease' | 'attempt';

/** `kis:{kind}:{environment}:{key hash}`: the key itself stands in no name. */
export function storedName(kind: StoredKind, account: KisAccount): string {
  return `kis:${kind}:${account.environment}:${account.keyHash}`;
}
