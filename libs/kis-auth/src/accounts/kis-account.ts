import { createHash } from 'node:crypto';

/** KIS issues keys for its real servers and for those of simulated trading separately. */
export type KisEnvironment = 'real' | 'virtual';

/** What may stand in a setting or in a line of the accounts file; blanks, quotes and controls never occur in a key. */
const CREDENTIAL = /^[!#-&(-~]{4,512}$/;

/**
 * One app key with its secret. Both are reached by their names only: printing, logging or serialising an account shows
 * neither.
 */
export class KisAccount {
  /** What the operator calls it. */
  readonly name: string;
  readonly environment: KisEnvironment;
  /** Stands for the key in names of Redis and in logs: the first 12 hex digits of its SHA-256. */
  readonly keyHash: string;
  /** Changes with the secret too, so that a refusal is known to belong to credentials that are no longer used. */
  readonly fingerprint: string;
  readonly #apiKey: string;
  readonly #apiSecret: string;

  constructor(name: string, environment: KisEnvironment, apiKey: string, apiSecret: string) {
    this.name = name;
    this.environment = environment;
    this.#apiKey = apiKey;
    this.#apiSecret = apiSecret;
    this.keyHash = shortHash(apiKey);
    this.fingerprint = shortHash(`${apiKey}:${apiSecret}`);
  }

  get apiKey(): string {
    return this.#apiKey;
  }

  get apiSecret(): string {
    return this.#apiSecret;
  }
}

/** What is wrong with a pair of key and secret, without either of them; `undefined` when nothing is. */
export function credentialFault(apiKey: string, apiSecret: string): string | undefined {
  if (!CREDENTIAL.test(apiKey)) return `the app key has ${described(apiKey)}; KIS prints one of 36 characters`;
  if (!CREDENTIAL.test(apiSecret))
    return `the app secret has ${described(apiSecret)}; KIS prints one of 180 characters`;
  if (apiKey.length > apiSecret.length) {
    return `the app key (${apiKey.length} characters) is longer than the app secret (${apiSecret.length}); they seem swapped`;
  }
  return undefined;
}

function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}

function described(value: string): string {
  return `${value.length} characters${/[^!#-&(-~]/.test(value) ? ', among them blanks, quotes or others that no key has' : ''}`;
}
