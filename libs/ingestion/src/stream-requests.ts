import type { MarketDataError, Nanoseconds } from '@aipx/market-model';
import type { Registration, RegistrationNews, Subscription, VenueDefaults, VenueSession } from '@aipx/venue';
import type { Clock } from '@aipx/websocket-client';
import { Outbox } from './outbox.js';
import { Registrations, type Setback } from './registrations.js';
import type { VenueConnectionHooks } from './venue-connection-hooks.js';
import type { VenueFeed } from './venue-feed.js';

export interface StreamRequestsOptions {
  readonly session: Pick<VenueSession, 'opening' | 'registrations'>;
  readonly defaults: VenueDefaults;
  readonly feed: VenueFeed;
  readonly hooks: VenueConnectionHooks;
  readonly send: (text: string) => void;
  readonly clock: Clock;
}

/** What one connection asks of its venue: all streams at once, or one by one where the venue answers for each. */
export class StreamRequests {
  readonly #options: StreamRequestsOptions;
  readonly #outbox: Outbox;
  readonly #registrations: Registrations | undefined;

  constructor(options: StreamRequestsOptions) {
    this.#options = options;
    this.#outbox = new Outbox(options.send, options.defaults.openingEveryMs ?? 0);
    this.#registrations = this.#newRegistrations();
  }

  begin(): void {
    const { opening } = this.#options.session;
    if (this.#registrations === undefined) this.#outbox.say(...opening.map((text) => () => text));
    else this.#registrations.begin();
  }

  answered(news: RegistrationNews): void {
    if (this.#registrations !== undefined) this.#registrations.answered(news);
    else if (news.answer !== 'stands') this.#refused(news.registration, { error: news.error, retryInMs: undefined });
  }

  /** These have fallen silent though they stand. Where the venue answers for each, they are asked for anew. */
  renew(stale: readonly Subscription[]): void {
    for (const subscription of stale) this.#registrations?.renew(subscription);
  }

  pause(paused: boolean): void {
    if (paused) this.#registrations?.pause();
    else this.#registrations?.resume();
  }

  /** The connection is gone. */
  end(): void {
    this.#outbox.end();
    this.#registrations?.end();
  }

  #newRegistrations(): Registrations | undefined {
    const { session, defaults, feed, hooks, clock } = this.#options;
    const { registrations } = session;
    const { registration: policy } = defaults;
    if (registrations === undefined || policy === undefined) return undefined;
    return new Registrations({
      registrations,
      policy,
      clock,
      say: (message) => this.#outbox.say(message),
      isHeard: ({ symbol, channel }, since) => (feed.states.lastRecordAt(symbol, channel) ?? -1n) >= since,
      onRefused: (registration, setback) => this.#refused(registration, setback),
      onUnanswered: (registration, setback, askedAt) => this.#unanswered(registration, setback, askedAt),
      onFull: (error) => hooks.onFull?.(error),
    });
  }

  #refused({ subscription }: Registration, { error, retryInMs }: Setback): void {
    const { feed, hooks, clock } = this.#options;
    if (subscription === undefined) return;
    feed.refused(subscription, error, clock());
    hooks.onRefused?.(subscription, error, retryInMs);
  }

  #unanswered({ subscription }: Registration, { error, retryInMs }: Setback, askedAt: Nanoseconds): void {
    const { feed, hooks } = this.#options;
    if (subscription === undefined) return this.#noticed(error);
    feed.unanswered(subscription, error, askedAt);
    hooks.onUnanswered?.(subscription, error, retryInMs);
  }

  /** Of a stream without market data nothing else can tell. */
  #noticed({ message }: MarketDataError): void {
    this.#options.feed.counts.notices += 1;
    this.#options.hooks.onNotices?.([message]);
  }
}
