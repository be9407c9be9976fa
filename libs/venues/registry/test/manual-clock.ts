import type { Clock } from '@aipx/kis-auth';

/** A clock that stands still until a test moves it. For one sleeper at a time. */
export class ManualClock implements Clock {
  #now: number;
  #sleeper: { readonly ms: number; readonly wake: () => void } | undefined;
  #fellAsleep = Promise.withResolvers<number>();

  constructor(now: number) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  random(): number {
    return 0.5;
  }

  async sleep(ms: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const wake = () => resolve(undefined);
    signal.addEventListener('abort', wake, { once: true });
    this.#sleeper = { ms, wake };
    this.#fellAsleep.resolve(ms);
    await promise;
    signal.removeEventListener('abort', wake);
    signal.throwIfAborted();
  }

  /** Resolves when somebody sleeps, with how long that shall be, ms. */
  asleep(): Promise<number> {
    return this.#fellAsleep.promise;
  }

  /** Lets the time pass that the sleeper wants, or so much more. */
  wake(extraMs = 0): void {
    const sleeper = this.#sleeper;
    if (sleeper === undefined) throw new Error('nobody sleeps');
    this.#sleeper = undefined;
    this.#fellAsleep = Promise.withResolvers();
    this.#now += sleeper.ms + extraMs;
    sleeper.wake();
  }
}
