/**
 * Lets one reader read at a time, in the order they asked, and the event loop turn in between: partitions and groups
 * with much to read neither starve each other nor sockets and timers.
 */
export class ReadTurns {
  readonly #waiting: (() => void)[] = [];

  /** Resolves when it is the caller's turn. A turn is over with the caller's next wait. */
  take(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      if (this.#waiting.length === 1) setImmediate(this.#grant);
    });
  }

  readonly #grant = (): void => {
    this.#waiting.shift()?.();
    if (this.#waiting.length > 0) setImmediate(this.#grant);
  };
}
