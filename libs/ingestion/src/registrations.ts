import { MarketDataError, type Nanoseconds } from '@aipx/market-model';
import type { Registration, RegistrationNews, RegistrationPolicy, Subscription } from '@aipx/venue';
import { Backoff, SilenceWatchdog, type Clock } from '@aipx/websocket-client';
import type { Message } from './outbox.js';

/** Why a stream does not come, and when it is asked for again: in so many ms, or not on this connection. */
export interface Setback {
  readonly error: MarketDataError;
  readonly retryInMs: number | undefined;
}

export interface RegistrationsOptions {
  readonly registrations: readonly Registration[];
  readonly policy: RegistrationPolicy;
  /** One message at a time, at the venue's pace. */
  readonly say: (message: Message) => void;
  /** Whether data of the stream came since then, which is as good as an answer. */
  readonly isHeard: (subscription: Subscription, since: Nanoseconds) => boolean;
  readonly clock: Clock;
  /** The venue does not send the stream, or no more. */
  readonly onRefused: (registration: Registration, setback: Setback) => void;
  /** The venue has not answered a request made at `askedAt` in time: nobody knows whether the stream stands. */
  readonly onUnanswered: (registration: Registration, setback: Setback, askedAt: Nanoseconds) => void;
  /** The connection takes no more streams. Once, after `onRefused` for each that is given up for it. */
  readonly onFull: (error: MarketDataError) => void;
}

interface Entry {
  readonly registration: Registration;
  readonly backoff: Backoff;
  readonly answerWatch: SilenceWatchdog;
  /** `leaving`: given back, to be asked for anew. `waiting`: for the next request. `left`: to the next connection. */
  state: 'queued' | 'asked' | 'stands' | 'leaving' | 'waiting' | 'left';
  /** It may stand. */
  isUnanswered: boolean;
  askedAt: Nanoseconds;
  /** Since when it stands, while it does. */
  stoodFrom: Nanoseconds | undefined;
  retry: NodeJS.Timeout | undefined;
}

const MOST_NAMED = 10;
/** About a session of an exchange: a stream that stood so long has its requests back. A connection may stand for weeks. */
const STOOD: Nanoseconds = 6n * 3_600_000_000_000n;

/** Asks for each stream of one connection, and for those again that are refused or not answered for, so often and no more. */
export class Registrations {
  readonly #options: RegistrationsOptions;
  readonly #entries: ReadonlyMap<string, Entry>;
  #isListening = true;
  #isFull = false;
  #hasToldFull = false;

  constructor(options: RegistrationsOptions) {
    this.#options = options;
    this.#entries = new Map(options.registrations.map((each) => [each.name, this.#entry(each)]));
  }

  begin(): void {
    for (const entry of this.#entries.values()) this.#queue(entry);
  }

  /** The venue's word on one of them. */
  answered(news: RegistrationNews): void {
    const entry = this.#entries.get(news.registration.name);
    if (entry === undefined) return;
    switch (news.answer) {
      case 'stands':
        return this.#stands(entry);
      case 'refused':
        return this.#refused(entry, news.error);
      case 'ended':
        return this.#endedBy(entry, news.error);
      case 'full':
        return this.#full(entry, news.error);
    }
  }

  /** Gives a stream that stands back and asks for it anew; counts as a further request of it. */
  renew(subscription: Subscription): void {
    const entry = this.#of(subscription);
    if (entry?.state !== 'stands') return;
    this.#fellFrom(entry);
    if (entry.backoff.fail() === undefined) return;
    entry.state = 'leaving';
    this.#options.say(() => {
      if (entry.state !== 'leaving') return undefined;
      this.#watch(entry);
      return entry.registration.release;
    });
  }

  /** Nobody reads what the venue answers: its time does not run. */
  pause(): void {
    this.#isListening = false;
    for (const { answerWatch } of this.#entries.values()) answerWatch.stop();
  }

  resume(): void {
    if (this.#isListening) return;
    this.#isListening = true;
    for (const entry of this.#entries.values()) {
      if (entry.state === 'asked' || entry.state === 'leaving') this.#watch(entry);
    }
  }

  /** The connection is gone. */
  end(): void {
    for (const entry of this.#entries.values()) settle(entry);
  }

  #entry(registration: Registration): Entry {
    const { answerWithinMs, retry } = this.#options.policy;
    const entry: Entry = {
      registration,
      backoff: new Backoff(retry, Math.random),
      answerWatch: new SilenceWatchdog(answerWithinMs, () => this.#overdue(entry)),
      state: 'waiting',
      isUnanswered: false,
      askedAt: 0n,
      stoodFrom: undefined,
      retry: undefined,
    };
    return entry;
  }

  #of({ symbol, channel }: Subscription): Entry | undefined {
    const entries = [...this.#entries.values()];
    return entries.find(
      ({ registration: { subscription } }) => subscription?.symbol === symbol && subscription.channel === channel,
    );
  }

  #queue(entry: Entry): void {
    settle(entry);
    entry.state = 'queued';
    this.#options.say(() => (entry.state === 'queued' ? this.#ask(entry) : undefined));
  }

  #ask(entry: Entry): string | undefined {
    if (entry.isUnanswered && this.#isHeard(entry)) {
      this.#stands(entry);
      return undefined;
    }
    entry.state = 'asked';
    entry.askedAt = this.#options.clock();
    this.#watch(entry);
    return entry.registration.request;
  }

  #watch({ answerWatch }: Entry): void {
    if (this.#isListening) answerWatch.start();
  }

  #isHeard({ registration: { subscription }, askedAt }: Entry): boolean {
    return subscription !== undefined && this.#options.isHeard(subscription, askedAt);
  }

  #stands(entry: Entry): void {
    settle(entry);
    entry.state = 'stands';
    entry.stoodFrom ??= this.#options.clock();
    entry.isUnanswered = false;
  }

  /** It does not stand any more, or is of no use. */
  #fellFrom(entry: Entry): void {
    const { stoodFrom } = entry;
    entry.stoodFrom = undefined;
    if (stoodFrom !== undefined && this.#options.clock() - stoodFrom >= STOOD) entry.backoff.reset();
  }

  #refused(entry: Entry, error: MarketDataError): void {
    entry.isUnanswered = false;
    const retryInMs = error.retryable && !this.#isFull ? this.#retry(entry, error) : this.#leave(entry);
    this.#options.onRefused(entry.registration, { error, retryInMs });
  }

  /** As we wanted, or on the venue's own account. While a request is under way, its answer decides. */
  #endedBy(entry: Entry, error: MarketDataError): void {
    if (entry.state === 'leaving') return this.#queue(entry);
    if (entry.state !== 'stands') return;
    this.#fellFrom(entry);
    this.#isFull = false; // its place is free
    this.#refused(entry, error);
  }

  #overdue(entry: Entry): void {
    if (entry.state === 'leaving') return this.#queue(entry);
    if (this.#isHeard(entry)) return this.#stands(entry);
    const { name } = entry.registration;
    const { answerWithinMs } = this.#options.policy;
    const message = `no answer to the registration of ${name} within ${answerWithinMs} ms`;
    const error = new MarketDataError('CONNECTION_UNANSWERED', message, { retryable: true });
    entry.isUnanswered = true;
    const retryInMs = this.#retry(entry, error);
    this.#options.onUnanswered(entry.registration, { error, retryInMs }, entry.askedAt);
  }

  /** @returns after how many ms it is asked for again; `undefined` when its requests are used up */
  #retry(entry: Entry, { context }: MarketDataError): number | undefined {
    const waitMs = entry.backoff.fail();
    if (waitMs === undefined) return this.#leave(entry);
    settle(entry);
    entry.state = 'waiting';
    const retryInMs = Math.max(waitMs, Number(context['retryAfterMs'] ?? 0));
    entry.retry = setTimeout(() => this.#queue(entry), retryInMs);
    return retryInMs;
  }

  #leave(entry: Entry): undefined {
    settle(entry);
    entry.state = 'left';
  }

  /** Who may stand already is asked for on: the venue then says so. */
  #full(refused: Entry, error: MarketDataError): void {
    this.#isFull = true;
    this.#refused(refused, error);
    if (this.#hasToldFull) return;
    this.#hasToldFull = true;
    const entries = [...this.#entries.values()];
    const unasked = entries.filter(
      ({ state, isUnanswered }) => (state === 'queued' || state === 'waiting') && !isUnanswered,
    );
    for (const entry of unasked) this.#refused(entry, notAskedFor(entry.registration, error));
    const fitting = entries.filter(({ state }) => state === 'stands').length;
    this.#options.onFull(full(error, fitting, entries.length, [refused, ...unasked]));
  }
}

function settle({ answerWatch, retry }: Entry): void {
  answerWatch.stop();
  clearTimeout(retry);
}

function notAskedFor({ name }: Registration, { code, message, context }: MarketDataError): MarketDataError {
  return new MarketDataError(code, `${name} is not asked for on this connection, which is full: ${message}`, {
    context,
  });
}

function full({ code, message, context }: MarketDataError, fitting: number, all: number, left: readonly Entry[]) {
  const names = left.slice(0, MOST_NAMED).map(({ registration }) => registration.name);
  const more = left.length > MOST_NAMED ? ` and ${left.length - MOST_NAMED} more` : '';
  return new MarketDataError(
    code,
    `the connection takes ${fitting} of its ${all} registrations and no more: ${message}; left to the next connection: ` +
      `${names.join(', ')}${more}`,
    { context: { ...context, fitting, registrations: all } },
  );
}
