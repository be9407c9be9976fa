import type { Clock } from '../../src/index.js';

interface Sleeper {
  readonly until: number;
  readonly wake: () => void;
}

/** A clock that stands still until a test moves it. */
export class ManualClock implements Clock {
  #now: number;
  #sleepers: Sleeper[] = [];
  #newSleeper = Promise.withResolvers<undefined>();
  readonly #random: number;

  constructor(now: number, random = 0.5) {
    this.#now = now;
    this.#random = random;
  }

  now(): number {
    return this.#now;
  }

  random(): number {
    return this.#random;
  }

  async sleep(ms: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const sleeper = { until: this.#now + ms, wake: () => resolve(undefined) };
    const drop = () => {
      this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
      sleeper.wake();
    };
    signal.addEventListener('abort', drop, { once: true });
    this.#sleepers.push(sleeper);
    this.#newSleeper.resolve(undefined);
    await promise;
    signal.removeEventListener('abort', drop);
    signal.throwIfAborted();
  }

  /** Moves the time, and wakes whoever slept until then. */
  advance(ms: number): void {
    this.#now += ms;
    const due = this.#sleepers.filter(({ until }) => until <= this.#now);
    this.#sleepers = this.#sleepers.filter(({ until }) => until > this.#now);
    for (const { wake } of due) wake();
  }

  /** Resolves when somebody sleeps. */
  async sleeping(): Promise<void> {
    while (this.#sleepers.length === 0) {
      this.#newSleeper = Promise.withResolvers<undefined>();
      await this.#newSleeper.promise;
    }
  }

  /** Lets time pass, from one sleeper to the next, until the promise settles, and gives its outcome. */
  async until<T>(promise: Promise<T>): Promise<T> {
    let isSettled = false;
    const settled = promise.then(
      () => void (isSettled = true),
      () => void (isSettled = true),
    );
    for (;;) {
      await Promise.race([settled, this.sleeping()]);
      if (isSettled) return await promise;
      this.advance(Math.max(0, Math.min(...this.#sleepers.map(({ until }) => until)) - this.#now));
      await new Promise(setImmediate);
    }
  }
}
