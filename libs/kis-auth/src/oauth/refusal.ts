import { MarketDataError } from '@aipx/market-model';
import type { KisAccount } from '../accounts/kis-account.js';
import { kisAction, type KisAction } from './codes.js';

const SHOWN_CHARACTERS = 200;

/** What no waiting mends, in words for whoever set up the key. */
const FINAL: Partial<Record<KisAction, (account: KisAccount) => string>> = {
  'bad-key': ({ environment }) =>
    `the app key or the app secret is wrong; take both from the portal's ${environment} key`,
  'wrong-host': ({ environment }) =>
    environment === 'real'
      ? 'this is a key of simulated trading; set KIS_USE_VIRTUAL_SERVER=true, or use the real key'
      : 'this is a key of real trading; set KIS_USE_VIRTUAL_SERVER=false, or use the virtual key',
  denied: () => 'the account or this address may not do that; look at the application in the portal',
  unsupported: () => 'this server does not offer that',
  bug: () => 'the request is not what KIS expects',
};

/** Whether KIS refused with this code for good, so that asking again with the same key is of no use. */
export function isFinal(code: string): boolean {
  const action = kisAction(code);
  return action !== undefined && FINAL[action] !== undefined;
}

/**
 * The error of an answer that is no success; `undefined` for one that may be. The token's address names its code `error_code`, the
 * others `msg_cd`. Its words are kept, without keys: OPSP0011 is known to echo one.
 */
export function refusal(
  account: KisAccount,
  path: string,
  status: number,
  answer: Readonly<Record<string, unknown>>,
): MarketDataError | undefined {
  const code = text(answer['error_code']) ?? text(answer['msg_cd']);
  if (code === undefined ? status < 400 : kisAction(code) === 'done') return undefined;
  if (code === undefined) {
    return new MarketDataError('CONNECTION_FAILED', `KIS answered ${path} with HTTP ${status} and no code`, {
      context: { path, key_hash: account.keyHash, status },
      retryable: true,
    });
  }
  const shown = CODE.test(code) ? code : 'an unreadable code';
  return refusalOf(account, path, shown, text(answer['error_description']) ?? text(answer['msg1']) ?? '', status);
}

const CODE = /^[A-Z]{3,4}\d{4,5}$/;

/** The error of a code: `CONFIG_ACCOUNT` if no waiting mends it, else a retryable `CONNECTION_REFUSED_BY_VENUE`. */
export function refusalOf(
  account: KisAccount,
  path: string,
  code: string,
  words: string,
  status?: number,
): MarketDataError {
  const advice = FINAL[kisAction(code) ?? 'retry']?.(account);
  const said = words === '' ? '' : ` "${withoutSecrets(words, account)}"`;
  return new MarketDataError(
    advice === undefined ? 'CONNECTION_REFUSED_BY_VENUE' : 'CONFIG_ACCOUNT',
    `KIS refused ${path} for account "${account.name}" (${account.keyHash}) with ${code}${said}` +
      (advice === undefined ? '' : `: ${advice}`),
    {
      context: { kis_code: code, path, key_hash: account.keyHash, ...(status !== undefined && { status }) },
      retryable: advice === undefined,
    },
  );
}

/** KIS' words, cut, without the account's key and secret and without anything else that could be one. */
function withoutSecrets(words: string, account: KisAccount): string {
  return words
    .replaceAll(account.apiKey, '[redacted]')
    .replaceAll(account.apiSecret, '[redacted]')
    .replace(/[\w.+/=-]{20,}/g, '[redacted]')
    .slice(0, SHOWN_CHARACTERS);
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
