import type { Clock } from '@aipx/kis-auth';

interface Sleeper {
  readonly until: number;
  readonly wake: () => void;
}

/** Time as a test moves it. */
export class ManualClock implements Clock {
  #now: number;
  readonly #sleepers = new Set<Sleeper>();

  /** @param now ms since the epoch */
  constructor(now: number) {
    this.#now = now;
  }

  readonly now = (): number => this.#now;

  random(): number {
    return 0.5;
  }

  async sleep(ms: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const sleeper = { until: this.#now + ms, wake: () => resolve(undefined) };
    this.#sleepers.add(sleeper);
    signal.addEventListener('abort', sleeper.wake, { once: true });
    await promise;
    this.#sleepers.delete(sleeper);
    signal.removeEventListener('abort', sleeper.wake);
    signal.throwIfAborted();
  }

  /** Moves the time, and wakes whoever slept until then. */
  advance(ms: number): void {
    this.#now += ms;
    for (const { until, wake } of this.#sleepers) if (until <= this.#now) wake();
  }

  /** Lets a second pass in each millisecond until the promise settles: sockets and requests take time of their own. */
  async flow<T>(promise: Promise<T>): Promise<T> {
    const flowing = setInterval(() => this.advance(1_000), 1);
    try {
      return await promise;
    } finally {
      clearInterval(flowing);
    }
  }
}
