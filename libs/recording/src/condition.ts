/** Wakes everybody who waits for something to change. Who wakes looks for himself whether it was what he waits for. */
export class Condition {
  readonly #waiting = new Set<() => void>();

  notifyAll(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const wake of waiting) wake();
  }

  /** Resolves at the next change; rejects with the signal's reason when that comes first. */
  async wait(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    const wake = () => {
      resolve(undefined);
    };
    const abort = () => {
      this.#waiting.delete(wake);
      reject(signal.reason as Error);
    };
    this.#waiting.add(wake);
    signal.addEventListener('abort', abort, { once: true });
    await promise.finally(() => {
      signal.removeEventListener('abort', abort);
    });
  }
}
