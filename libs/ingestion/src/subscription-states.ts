import type { Channel, Nanoseconds } from '@aipx/market-model';
import type { Subscription } from '@aipx/venue';

/**
 * `requested`: asked for, nothing came yet. `active`: data came on this connection. `silent`: nothing came within the
 * time in which the venue answers a subscription, so the code is unknown to it, or nothing is happening.
 */
export type SubscriptionState = 'requested' | 'active' | 'silent';

export interface StreamStatus extends Subscription {
  readonly state: SubscriptionState;
}

/** Knows of each subscribed stream whether data came on the present connection. */
export class SubscriptionStates {
  readonly #keys = new Map<string, Subscription>();
  readonly #active = new Set<string>();
  readonly #firstRecordWithin: Nanoseconds;
  #requestedAt: Nanoseconds | undefined;

  constructor(subscriptions: readonly Subscription[], firstRecordWithinMs: number) {
    for (const subscription of subscriptions)
      this.#keys.set(key(subscription.symbol, subscription.channel), subscription);
    this.#firstRecordWithin = BigInt(firstRecordWithinMs) * 1_000_000n;
  }

  /** A connection stands and the subscription was sent at `at`. */
  requested(at: Nanoseconds): void {
    this.#requestedAt = at;
    this.#active.clear();
  }

  seen(symbol: string, channel: Channel): void {
    if (this.#active.size < this.#keys.size) this.#active.add(key(symbol, channel));
  }

  stateOf(subscription: Subscription, now: Nanoseconds): SubscriptionState {
    if (this.#active.has(key(subscription.symbol, subscription.channel))) return 'active';
    const overdue = this.#requestedAt !== undefined && now - this.#requestedAt >= this.#firstRecordWithin;
    return overdue ? 'silent' : 'requested';
  }

  list(now: Nanoseconds): readonly StreamStatus[] {
    return [...this.#keys.values()].map((subscription) => ({
      ...subscription,
      state: this.stateOf(subscription, now),
    }));
  }
}

function key(symbol: string, channel: Channel): string {
  return `${channel} ${symbol}`;
}
