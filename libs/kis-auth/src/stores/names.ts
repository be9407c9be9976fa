import type { KisAccount } from '../accounts/kis-account.js';
import { KIS_REST_HOSTS } from '../oauth/hosts.js';

export type StoredKind = 'token' | 'approval' | 'lock' | 'lease' | 'attempt';

/** The answer that is the same for all keys, and the right to ask for it. */
export interface AnswerNames {
  readonly answer: string;
  readonly lock: string;
}

const OF_KIS: ReadonlySet<string> = new Set(Object.values(KIS_REST_HOSTS).map((url) => new URL(url).hostname));

/**
 * `kis:{kind}:{environment}:{key hash}`: the key itself stands in no name. What a server in the place of KIS' issues, says and
 * refuses counts with that server alone: there `@{host}:{port}` follows the environment.
 *
 * @param url of the REST server; absent: KIS'
 */
export function storedName(kind: StoredKind, account: KisAccount, url?: string): string {
  return `kis:${kind}:${account.environment}${elsewhere(url)}:${account.keyHash}`;
}

/** `kis:holidays` and `kis:lock:holidays`, the same for both environments; of a server in the place of KIS' likewise its own. */
export function answerNames(url?: string): AnswerNames {
  return { answer: `kis:holidays${elsewhere(url)}`, lock: `kis:lock:holidays${elsewhere(url)}` };
}

/** Whether KIS itself answers there; absent: it does. */
export function isOfKis(url: string | undefined): boolean {
  return url === undefined || OF_KIS.has(new URL(url).hostname);
}

function elsewhere(url: string | undefined): string {
  if (url === undefined || isOfKis(url)) return '';
  const { hostname, port, protocol } = new URL(url);
  return `@${hostname}:${port || (protocol === 'https:' ? '443' : '80')}`;
}
