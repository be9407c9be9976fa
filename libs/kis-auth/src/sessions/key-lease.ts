import { randomUUID } from 'node:crypto';
import { asMarketDataError, MarketDataError } from '@aipx/market-model';
import type { KisAccount } from '../accounts/kis-account.js';
import type { Clock } from '../clock.js';
import { storedName } from '../stores/names.js';
import type { SharedStore } from '../stores/shared-store.js';

export interface KeyLeaseOptions {
  readonly account: KisAccount;
  readonly store: SharedStore;
  readonly clock: Clock;
  /** `KIS_LEASE_TTL`: how long a holder may be silent before another one takes over. */
  readonly ttlMs: number;
}

/** Why it is not had yet: another one holds it, the store began less than a lease ago, or fails. */
export type LeaseHindrance =
  | { readonly kind: 'held' }
  | { readonly kind: 'young-store' }
  | { readonly kind: 'store'; readonly error: MarketDataError };

/** How soon a lease that was given back is seen by whoever waits; with up to as much again. */
const LOOK_AGAIN_MS = 250;

/**
 * The right to a key's one session: KIS refuses a second one with OPSP8996 (the portal's notice of 2025-08-07), so that a rolling
 * deployment would shut itself out. One process holds it, renews it three times in its life, and gives it back when it stops; whoever
 * waits has it within half a second, or, after a crash, when it has run out.
 *
 * While the store is away the holder stays what it is: nobody can claim, and a store that began anew, or was away from whoever
 * claims, takes no claim before holders had one lease's time to put theirs back.
 */
export class KeyLease {
  readonly #options: KeyLeaseOptions;
  readonly #holder: string;
  readonly #name: string;
  readonly #lost = new AbortController();
  readonly #stop = new AbortController();
  readonly #endReturns: () => void;
  readonly #renewals: Promise<void>;
  /** One renewal at a time, so that none takes again what was just given back. */
  #renewal = Promise.resolve();

  private constructor(options: KeyLeaseOptions, holder: string) {
    this.#options = options;
    this.#holder = holder;
    this.#name = storedName('lease', options.account);
    this.#endReturns = options.store.onReturn(() => void this.#renew());
    this.#renewals = this.#renewAgainAndAgain();
  }

  /**
   * Waits until the lease is free, and takes it.
   *
   * @param onHindrance told at each look why it is not had yet
   * @throws the signal's reason
   */
  static async claim(
    options: KeyLeaseOptions,
    signal: AbortSignal,
    onHindrance: (hindrance: LeaseHindrance) => void = () => undefined,
  ): Promise<KeyLease> {
    const holder = randomUUID();
    for (;;) {
      signal.throwIfAborted();
      const hindrance = await hindranceOf(options, holder);
      if (hindrance === undefined) break;
      onHindrance(hindrance);
      await options.clock.sleep(LOOK_AGAIN_MS * (1 + options.clock.random()), signal);
    }
    const lease = new KeyLease(options, holder);
    if (!signal.aborted) return lease;
    await lease.release();
    throw signal.reason;
  }

  /** Aborted, with a `CONNECTION_LEASE_LOST` as its reason, as soon as another holder is seen: end the session. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** Until it is released or lost. */
  get isHeld(): boolean {
    return !this.#stop.signal.aborted;
  }

  /** Gives the lease to whoever waits. End the session first. Never throws; a second call does nothing. */
  async release(): Promise<void> {
    if (this.#stop.signal.aborted) return;
    this.#stop.abort();
    this.#endReturns();
    await Promise.all([this.#renewals, this.#renewal]);
    // One that cannot be given back runs out.
    await this.#options.store.swap(this.#name, this.#holder, undefined).catch(() => false);
  }

  async #renewAgainAndAgain(): Promise<void> {
    const { clock, ttlMs } = this.#options;
    while (!this.#stop.signal.aborted) {
      await clock.sleep(ttlMs / 3, this.#stop.signal).catch(() => undefined);
      if (!this.#stop.signal.aborted) await this.#renew();
    }
  }

  #renew(): Promise<void> {
    this.#renewal = this.#renewal.then(() => this.#renewOnce());
    return this.#renewal;
  }

  /** Renews it; takes it again where the store has lost it. */
  async #renewOnce(): Promise<void> {
    if (this.#stop.signal.aborted) return;
    const { account, store, ttlMs } = this.#options;
    const entry = { value: this.#holder, ttlMs };
    try {
      if (await store.swap(this.#name, this.#holder, entry)) return;
      if (await store.swap(this.#name, undefined, entry)) return;
    } catch {
      return; // away; nobody else can claim it meanwhile
    }
    this.#stop.abort();
    this.#endReturns();
    this.#lost.abort(
      new MarketDataError(
        'CONNECTION_LEASE_LOST',
        `another process holds the session of account "${account.name}" (${account.keyHash}) now`,
        { context: { key_hash: account.keyHash }, retryable: true },
      ),
    );
  }
}

/** Claims the lease once; `undefined` when it is had. */
async function hindranceOf(
  { account, store, ttlMs }: KeyLeaseOptions,
  holder: string,
): Promise<LeaseHindrance | undefined> {
  try {
    if ((await store.ageMs()) < ttlMs) return { kind: 'young-store' };
    const isClaimed = await store.swap(storedName('lease', account), undefined, { value: holder, ttlMs });
    return isClaimed ? undefined : { kind: 'held' };
  } catch (cause) {
    return { kind: 'store', error: asMarketDataError(cause, 'STORE_UNAVAILABLE') };
  }
}
