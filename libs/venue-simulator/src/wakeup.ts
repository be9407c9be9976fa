/** Lets one waiter sleep until something has changed. A change that nobody waited for is not missed. */
export class Wakeup {
  #changed = false;
  #wake: (() => void) | undefined;

  notify(): void {
    this.#changed = true;
    this.#wake?.();
  }

  /** Resolves when something has changed since the last call, or when the signal is aborted. */
  async wait(signal: AbortSignal): Promise<void> {
    if (!this.#changed && !signal.aborted) {
      const { promise, resolve }: PromiseWithResolvers<void> = Promise.withResolvers();
      const wake = (): void => {
        resolve();
      };
      this.#wake = wake;
      signal.addEventListener('abort', wake, { once: true });
      await promise;
      signal.removeEventListener('abort', wake);
      this.#wake = undefined;
    }
    this.#changed = false;
  }
}
