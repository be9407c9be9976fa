import { MarketDataError } from '@aipx/market-model';
import type { KisAccount } from './accounts/kis-account.js';
import type { KisAccounts } from './accounts/kis-accounts.js';
import { AnswerPlace } from './answers/answer-place.js';
import { SharedAnswer } from './answers/shared-answer.js';
import { AttemptLog } from './attempts/attempt-log.js';
import { systemClock, type Clock } from './clock.js';
import { CredentialSource } from './credentials/credential-source.js';
import { SharedKey, type KisKey } from './kis-key.js';
import { OAuthClient } from './oauth/oauth-client.js';
import { ConnectAttempts } from './sessions/connect-attempts.js';
import { openKisStores, type KisStores, type KisStoreSettings } from './stores/kis-stores.js';
import { answerNames, storedName } from './stores/names.js';

export interface KisAuthOptions extends Omit<KisStoreSettings, 'clock'> {
  readonly accounts: KisAccounts;
  /** `KIS_TOKEN_REFRESH_BEFORE`. @default 600000 */
  readonly refreshBeforeMs?: number;
  /** `KIS_TOKEN_CACHE_TTL`. @default 86400000 */
  readonly cacheTtlMs?: number;
  /** `KIS_LEASE_TTL`. @default 30000 */
  readonly leaseTtlMs?: number;
  /** Names of what this process records by each key, in the order of the accounts, for processes that wait for it; nothing secret. */
  readonly takes?: readonly (readonly string[])[] | undefined;
  /** Instead of KIS' REST server: a simulator. */
  readonly url?: string | undefined;
  /** Of one request. @default 10000 */
  readonly timeoutMs?: number;
  /** Told of every token and approval key as soon as it is known here, so that no log shows it. */
  readonly keepSecret?: ((secret: string) => void) | undefined;
  readonly clock?: Clock;
}

/** All keys of a process and the stores through which they are shared with others. */
export class KisAuth {
  readonly keys: readonly KisKey[];
  /** Where tokens and keys are kept; for a line of log at start. */
  readonly place: string;
  readonly #stores: KisStores;
  readonly #closed = new AbortController();

  private constructor(options: KisAuthOptions, stores: KisStores, clock: Clock) {
    this.#stores = stores;
    this.place = stores.credentials.place;
    this.keys = options.accounts.all.map((account, index) => {
      const takes = options.takes && (options.takes[index] ?? []);
      return this.#keyOf(account, takes, options, clock);
    });
  }

  /**
   * Opens the stores. Redis may be away: then everything waits for it.
   *
   * @throws {MarketDataError} `CONFIG_ACCOUNT` for a file that is open to others, `CONFIG_INVALID` for times that do not fit
   */
  static async open(options: KisAuthOptions): Promise<KisAuth> {
    const { refreshBeforeMs = 600_000, cacheTtlMs = 86_400_000, clock = systemClock } = options;
    if (cacheTtlMs < refreshBeforeMs * 2) {
      throw new MarketDataError(
        'CONFIG_INVALID',
        `KIS_TOKEN_CACHE_TTL is ${cacheTtlMs} ms and must be at least twice KIS_TOKEN_REFRESH_BEFORE, ${refreshBeforeMs} ms`,
      );
    }
    return new KisAuth(options, await openKisStores({ ...options, clock }), clock);
  }

  /** Whether the place cannot be reached now, so that whoever has nothing yet waits for it. */
  get isAway(): boolean {
    return this.#stores.coordination.isAway;
  }

  /** Ends every wait. Release the leases first. */
  async close(): Promise<void> {
    this.#closed.abort(new MarketDataError('CONNECTION_STATE', 'the keys of KIS are closed'));
    await this.#stores.close();
  }

  #keyOf(account: KisAccount, takes: KisKey['takes'], options: KisAuthOptions, clock: Clock): KisKey {
    const { refreshBeforeMs = 600_000, cacheTtlMs = 86_400_000, leaseTtlMs = 30_000, url, timeoutMs } = options;
    const stores = this.#stores;
    const attempts = new AttemptLog(stores.coordination, storedName('attempt', account, url), clock);
    // Away again: its next return calls again.
    stores.coordination.onReturn(() => void attempts.putBack().catch(() => undefined));
    const client = new OAuthClient({
      now: () => clock.now(),
      ...(url !== undefined && { url }),
      ...(timeoutMs !== undefined && { timeoutMs }),
    });
    const closed = this.#closed.signal;
    const credentials = new CredentialSource({
      account,
      client,
      url,
      stores,
      attempts,
      clock,
      refreshBeforeMs,
      cacheTtlMs,
      quietAfterStartMs: leaseTtlMs,
      keepSecret: options.keepSecret,
      signal: closed,
    });
    const lease = { account, url, store: stores.coordination, clock, ttlMs: leaseTtlMs, takes };
    const holidays = this.#holidaysOf(attempts, storedName('attempt', account, url), options);
    return new SharedKey(credentials, new ConnectAttempts(account, attempts, clock), holidays, lease, closed);
  }

  /** @param attemptName of the key's attempts */
  #holidaysOf(attempts: AttemptLog, attemptName: string, options: KisAuthOptions): SharedAnswer {
    const { clock = systemClock, leaseTtlMs: quietAfterStartMs = 30_000, url } = options;
    const { coordination, locks, machine } = this.#stores;
    const names = answerNames(url);
    const shared = new AnswerPlace({ names, store: coordination, locks, attempts, clock });
    if (machine === undefined) return new SharedAnswer({ places: [shared], clock, quietAfterStartMs });
    const own = new AttemptLog(machine, attemptName, clock);
    const here = new AnswerPlace({ names, store: machine, locks: [machine], attempts: own, clock });
    return new SharedAnswer({ places: [shared, here], clock, quietAfterStartMs });
  }
}
