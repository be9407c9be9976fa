/** So many may be inside at once; who comes then waits, in the order of coming. */
export class Places {
  #free: number;
  readonly #waiting = new Set<() => void>();

  constructor(count: number) {
    this.#free = count;
  }

  /** Resolves when there is a place, which `leave` gives back. Rejects with the signal's reason when it aborts. */
  async enter(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#free > 0) {
      this.#free -= 1;
      return;
    }
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    const admit = () => {
      resolve(undefined);
    };
    const giveUp = () => {
      this.#waiting.delete(admit);
      reject(signal.reason as Error);
    };
    this.#waiting.add(admit);
    signal.addEventListener('abort', giveUp, { once: true });
    await promise.finally(() => {
      signal.removeEventListener('abort', giveUp);
    });
  }

  leave(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#free += 1;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}
