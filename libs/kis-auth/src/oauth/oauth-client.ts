import { asMarketDataError, MarketDataError } from '@aipx/market-model';
import type { KisAccount } from '../accounts/kis-account.js';
import { readAnswer } from './answer.js';
import { tokenExpiry } from './expiry.js';
import { KIS_REST_HOSTS } from './hosts.js';
import { refusal } from './refusal.js';

/** A token or an approval key as KIS issued it. Times in ms since the epoch. */
export interface Issued {
  readonly value: string;
  readonly issuedAt: number;
  readonly expiresAt: number;
}

/** A day for individuals and ordinary companies; partner companies have three months. */
const APPROVAL_KEY_LIFE_MS = 24 * 3_600_000;
/** Within this time of an issue KIS answers with the same token again (official samples). */
export const SAME_TOKEN_FOR_MS = 6 * 3_600_000;

export interface OAuthClientOptions {
  /** Of one request, answer included. @default 10000 */
  readonly timeoutMs?: number;
  /** Instead of KIS: a simulator. */
  readonly url?: string;
  readonly now?: () => number;
}

/**
 * The two addresses that issue. It asks once and remembers nothing: who may ask when is decided by `CredentialSource`, since each
 * token sends the owner of the account a message, and the second within a minute is refused (official samples).
 *
 * All methods throw `MarketDataError`: `CONFIG_ACCOUNT` when KIS refuses the key, `CONNECTION_REFUSED_BY_VENUE` when it
 * answers with another code, `CONNECTION_FAILED` when it does not answer in time or not with what was asked for. A code of
 * KIS stands in `context.kis_code`. No key, secret or token stands in any of them.
 */
export class OAuthClient {
  readonly #timeoutMs: number;
  readonly #url: string | undefined;
  readonly #now: () => number;

  constructor({ timeoutMs = 10_000, url, now = Date.now }: OAuthClientOptions = {}) {
    this.#timeoutMs = timeoutMs;
    this.#url = url;
    this.#now = now;
  }

  /** `POST /oauth2/tokenP`. */
  async issueToken(account: KisAccount, signal: AbortSignal): Promise<Issued> {
    const askedAt = this.#now();
    const answer = await this.#post(account, '/oauth2/tokenP', { appsecret: account.apiSecret }, signal);
    const { access_token: value, expires_in: seconds, access_token_token_expired: kst } = answer;
    const expiresAt = tokenExpiry(kst, seconds, askedAt);
    if (!isText(value) || expiresAt === undefined) throw unreadable(account, '/oauth2/tokenP');
    const lifeMs = typeof seconds === 'number' ? seconds * 1000 : APPROVAL_KEY_LIFE_MS;
    // The same token comes back for six hours, so its age is told by its end and not by our clock.
    return { value, issuedAt: Math.min(askedAt, expiresAt - lifeMs), expiresAt };
  }

  /** `POST /oauth2/Approval`. Here the secret's field is `secretkey`, not `appsecret`. */
  async issueApprovalKey(account: KisAccount, signal: AbortSignal): Promise<Issued> {
    const issuedAt = this.#now();
    const answer = await this.#post(account, '/oauth2/Approval', { secretkey: account.apiSecret }, signal);
    const { approval_key: value } = answer;
    if (!isText(value)) throw unreadable(account, '/oauth2/Approval');
    return { value, issuedAt, expiresAt: issuedAt + APPROVAL_KEY_LIFE_MS };
  }

  async #post(
    account: KisAccount,
    path: string,
    secret: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<Readonly<Record<string, unknown>>> {
    const url = new URL(path, this.#url ?? KIS_REST_HOSTS[account.environment]);
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json; charset=UTF-8' },
        body: JSON.stringify({ grant_type: 'client_credentials', appkey: account.apiKey, ...secret }),
        // A secret goes to the host it belongs to and nowhere else.
        redirect: 'error',
        signal: AbortSignal.any([signal, AbortSignal.timeout(this.#timeoutMs)]),
      });
      const answer = await readAnswer(response);
      const refused = refusal(account, path, response.status, answer);
      if (refused !== undefined) throw refused;
      return answer;
    } catch (cause) {
      signal.throwIfAborted();
      if (cause instanceof MarketDataError) throw cause;
      throw unreached(
        account,
        url,
        isTimeout(cause) ? `no answer within ${this.#timeoutMs} ms` : reasonOf(cause),
        cause,
      );
    }
  }
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function isTimeout(cause: unknown): boolean {
  return cause instanceof DOMException && cause.name === 'TimeoutError';
}

/** `fetch` says no more than that it failed; of a name with several addresses each has its own reason. */
function reasonOf(error: unknown): string {
  const { cause } = error as Error;
  const reasons = cause instanceof AggregateError ? cause.errors : [cause ?? error];
  return reasons.map((reason) => asMarketDataError(reason, 'CONNECTION_FAILED').message).join(', ');
}

function unreached(account: KisAccount, url: URL, why: string, cause: unknown): MarketDataError {
  const { host, pathname: path } = url;
  return new MarketDataError(
    'CONNECTION_FAILED',
    `${host} could not be reached (${why}) for ${path}; check KIS_API_URL, and that no firewall is in the way`,
    { context: { path, key_hash: account.keyHash }, cause, retryable: true },
  );
}

function unreadable(account: KisAccount, path: string): MarketDataError {
  return new MarketDataError(
    'CONNECTION_FAILED',
    `KIS answered ${path} for account ${account.keyHash} without a code and without what was asked for`,
    { context: { path, key_hash: account.keyHash }, retryable: true },
  );
}
