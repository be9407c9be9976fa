import { randomUUID } from 'node:crypto';
import { asMarketDataError, MarketDataError } from '@aipx/market-model';
import type { KisAccount } from '../accounts/kis-account.js';
import type { Clock } from '../clock.js';
import { storedName } from '../stores/names.js';
import type { SharedStore } from '../stores/shared-store.js';
import { leaseText, takenBy } from './lease-text.js';

export interface KeyLeaseOptions {
  readonly account: KisAccount;
  /** Of the REST server whose approval keys open the session. Absent: KIS'. */
  readonly url?: string | undefined;
  readonly store: SharedStore;
  readonly clock: Clock;
  /** `KIS_LEASE_TTL`: how long a holder may be silent before another one takes over. */
  readonly ttlMs: number;
  /** Names of all that this process records by the key; nothing secret. Absent: nobody is told. */
  readonly takes?: readonly string[] | undefined;
}

/**
 * Why it is not had yet: another one holds it, the store began less than a lease ago, or fails. `takes`: what the holder records by
 * the key; absent where it does not tell, or nobody here compares.
 */
export type LeaseHindrance =
  | { readonly kind: 'held'; readonly takes?: readonly string[] }
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
  /** When the last renewal that succeeded was asked for, ms since the epoch. */
  #renewedAt: number;
  /** Of the last renewal; `undefined` where it succeeded. */
  #failure: MarketDataError | undefined;

  /** @param claimedAt when it was asked for, ms since the epoch */
  private constructor(options: KeyLeaseOptions, holder: string, claimedAt: number) {
    this.#options = options;
    this.#holder = holder;
    this.#name = storedName('lease', options.account, options.url);
    this.#renewedAt = claimedAt;
    this.#endReturns = options.store.onReturn(() => void this.#renew());
    this.#renewals = this.#renewAgainAndAgain(claimedAt);
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
    const holder = leaseText(randomUUID(), options.takes);
    let claimedAt: number;
    let mayStand = false;
    try {
      for (;;) {
        signal.throwIfAborted();
        claimedAt = options.clock.now();
        const hindrance = await hindranceOf(options, holder);
        if (hindrance === undefined) break;
        mayStand ||= hindrance.kind === 'store';
        onHindrance(hindrance);
        await options.clock.sleep(LOOK_AGAIN_MS * (1 + options.clock.random()), signal);
      }
    } catch (cause) {
      // A claim whose answer was lost would keep the key from others until it runs out.
      if (mayStand) await giveBack(options, holder);
      throw cause;
    }
    const lease = new KeyLease(options, holder, claimedAt);
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

  /** Why it is not renewed, once half of its life has gone by without: the store is away, or refuses. */
  get renewalFailure(): MarketDataError | undefined {
    const { clock, ttlMs } = this.#options;
    return this.isHeld && clock.now() - this.#renewedAt > ttlMs / 2 ? this.#failure : undefined;
  }

  /** Gives the lease to whoever waits. End the session first. Never throws; a second call does nothing. */
  async release(): Promise<void> {
    if (this.#stop.signal.aborted) return;
    this.#stop.abort();
    this.#endReturns();
    await Promise.all([this.#renewals, this.#renewal]);
    await giveBack(this.#options, this.#holder);
  }

  /** Counted from request to request: where answers are slow, waiting behind each would let the lease run out between two. */
  async #renewAgainAndAgain(claimedAt: number): Promise<void> {
    const { clock, ttlMs } = this.#options;
    for (let askedAt = claimedAt; !this.#stop.signal.aborted;) {
      const waitMs = Math.min(askedAt + ttlMs / 3 - clock.now(), ttlMs / 3);
      if (waitMs > 0) await clock.sleep(waitMs, this.#stop.signal).catch(() => undefined);
      askedAt = clock.now();
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
    const { account, clock } = this.#options;
    const askedAt = clock.now();
    try {
      if (await this.#isPut()) {
        this.#renewedAt = askedAt;
        this.#failure = undefined;
        return;
      }
    } catch (cause) {
      this.#failure = asMarketDataError(cause, 'STORE_UNAVAILABLE');
      return; // away or refusing; nobody else can claim it meanwhile
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

  async #isPut(): Promise<boolean> {
    const { store, ttlMs } = this.#options;
    const entry = { value: this.#holder, ttlMs };
    return (await store.swap(this.#name, this.#holder, entry)) || (await store.swap(this.#name, undefined, entry));
  }
}

/** One that cannot be given back runs out. */
async function giveBack({ account, url, store }: KeyLeaseOptions, holder: string): Promise<void> {
  await store.swap(storedName('lease', account, url), holder, undefined).catch(() => false);
}

/** Claims the lease once; `undefined` when it is had. */
async function hindranceOf(
  { account, url, store, ttlMs, takes }: KeyLeaseOptions,
  holder: string,
): Promise<LeaseHindrance | undefined> {
  try {
    if ((await store.ageMs()) < ttlMs) return { kind: 'young-store' };
    const name = storedName('lease', account, url);
    if (await store.swap(name, undefined, { value: holder, ttlMs })) return undefined;
    const taken = takes && takenBy(await store.read(name));
    return { kind: 'held', ...(taken && { takes: taken }) };
  } catch (cause) {
    return { kind: 'store', error: asMarketDataError(cause, 'STORE_UNAVAILABLE') };
  }
}
