import { MarketDataError } from '@aipx/market-model';
import { parseStored } from '../stores/stored-json.js';
import type { SharedStore } from '../stores/shared-store.js';

/** What was tried: to issue a token, to issue an approval key, to open a session. */
export type AttemptKind = 'token' | 'approval' | 'connect';

interface Attempt {
  /** Ms since the epoch. */
  readonly at: number;
}

type Attempts = Partial<Record<AttemptKind, Attempt>>;

/** The longest that an attempt matters is an hour. */
const TTL_MS = 24 * 3_600_000;
const SWAP_TRIES = 20;

/**
 * The last attempts of a key, one of each kind under one name, in the store that outlives the process. What this process wrote, or
 * could not write because the store was away, is put back when it returns.
 */
export class AttemptLog {
  readonly #store: SharedStore;
  readonly #name: string;
  #own: Attempts = {};

  /** @param name `kis:attempt:{environment}:{key hash}` */
  constructor(store: SharedStore, name: string) {
    this.#store = store;
    this.#name = name;
  }

  /** @throws {MarketDataError} `STORE_UNAVAILABLE` */
  async read<T extends Attempt>(kind: AttemptKind): Promise<T | undefined> {
    return parse(await this.#store.read(this.#name))[kind] as T | undefined;
  }

  /**
   * Replaces the last attempt of this kind and leaves the others.
   *
   * @throws {MarketDataError} `STORE_UNAVAILABLE`
   */
  async write(kind: AttemptKind, attempt: Attempt): Promise<void> {
    this.#own = { ...this.#own, [kind]: attempt };
    await this.#change((stored) => ({ ...stored, [kind]: attempt }));
  }

  /**
   * Writes what this process knows and the store does not.
   *
   * @throws {MarketDataError} `STORE_UNAVAILABLE`
   */
  async putBack(): Promise<void> {
    const own = Object.entries(this.#own);
    if (own.length === 0) return;
    await this.#change((stored) => {
      const newer = own.filter(([kind, { at }]) => at > (stored[kind as AttemptKind]?.at ?? 0));
      return { ...stored, ...Object.fromEntries(newer) };
    });
  }

  async #change(next: (stored: Attempts) => Attempts): Promise<void> {
    for (let tries = 0; tries < SWAP_TRIES; tries += 1) {
      const before = await this.#store.read(this.#name);
      const value = JSON.stringify(next(parse(before)));
      if (await this.#store.swap(this.#name, before, { value, ttlMs: TTL_MS })) return;
    }
    throw new MarketDataError('STORE_UNAVAILABLE', `${this.#store.place}: ${this.#name} changes all the time`, {
      context: { name: this.#name },
      retryable: true,
    });
  }
}

function parse(text: string | undefined): Attempts {
  return parseStored<Attempts>(text, () => true) ?? {};
}
