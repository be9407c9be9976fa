import type { KisAccount } from '../accounts/kis-account.js';
import type { AttemptLog } from '../attempts/attempt-log.js';
import type { Clock } from '../clock.js';
import type { OAuthClient } from '../oauth/oauth-client.js';
import type { KisStores } from '../stores/kis-stores.js';
import { SharedCredential } from './shared-credential.js';
import { statisticsOf, type CredentialStatistics } from './status.js';

export interface CredentialSourceOptions {
  readonly account: KisAccount;
  readonly client: OAuthClient;
  /** Where the client asks. Absent: KIS. */
  readonly url?: string | undefined;
  readonly stores: KisStores;
  readonly attempts: AttemptLog;
  readonly clock: Clock;
  readonly refreshBeforeMs: number;
  readonly cacheTtlMs: number;
  readonly quietAfterStartMs: number;
  readonly keepSecret?: ((secret: string) => void) | undefined;
  readonly signal: AbortSignal;
}

/**
 * The token and the approval key of one account, the same in all processes that share its stores. Both methods that give one wait
 * until there is one; they throw `MarketDataError` `CONFIG_ACCOUNT` when KIS refuses the key for good, and their signal's reason.
 */
export class CredentialSource {
  readonly #token: SharedCredential;
  readonly #approvalKey: SharedCredential;

  constructor({ client, ...shared }: CredentialSourceOptions) {
    const { account } = shared;
    this.#token = new SharedCredential({
      ...shared,
      kind: 'token',
      issue: (signal) => client.issueToken(account, signal),
    });
    this.#approvalKey = new SharedCredential({
      ...shared,
      kind: 'approval',
      issue: (signal) => client.issueApprovalKey(account, signal),
    });
  }

  /** For the header `authorization: Bearer <token>`. */
  token(signal: AbortSignal): Promise<string> {
    return this.#token.get(signal);
  }

  /** For the subscriptions of a new session; one that is open keeps working past the key's end (portal documentation). */
  approvalKey(signal: AbortSignal): Promise<string> {
    return this.#approvalKey.get(signal);
  }

  /**
   * KIS refused this token (EGW00121 to EGW00123). A new one is issued at the next call of `token`, once: a replacement that is refused
   * too stays for six hours from its issue, for so long KIS sends the same again.
   */
  invalidateToken(value: string): void {
    this.#token.invalidate(value);
  }

  /** KIS refused this key (OPSP0011). A new one is issued once; a replacement that is refused too stays for ten minutes. */
  invalidateApprovalKey(value: string): void {
    this.#approvalKey.invalidate(value);
  }

  /** When this key was issued, in ms since the epoch; `undefined` once another one has its place. */
  approvalKeyIssuedAt(value: string): number | undefined {
    return this.#approvalKey.issuedAt(value);
  }

  /** For metrics. */
  get statistics(): Readonly<Record<'token' | 'approvalKey', CredentialStatistics>> {
    return { token: statisticsOf(this.#token.status), approvalKey: statisticsOf(this.#approvalKey.status) };
  }
}
