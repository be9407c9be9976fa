/**
 * When lanes that wait for company leave: all with the first one whose time is over, so that their records share a request.
 */
export class Departures {
  readonly #now: () => number;
  readonly #waiting = new Set<() => void>();
  #timer: NodeJS.Timeout | undefined;
  #dueAt = Infinity;

  /** @param now monotonic, ms */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Waits until so late, ms, or until somebody else who waits is due. `leave` ends it early. */
  join(dueAt: number): { readonly over: Promise<void>; readonly leave: () => void } {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const go = () => resolve(undefined);
    const leave = () => {
      this.#waiting.delete(go);
      if (this.#waiting.size === 0) this.#stop();
      go();
    };
    this.#waiting.add(go);
    if (dueAt < this.#dueAt) this.#leaveAt(dueAt);
    return { over: promise, leave };
  }

  #leaveAt(dueAt: number): void {
    clearTimeout(this.#timer);
    this.#dueAt = dueAt;
    this.#timer = setTimeout(() => this.#depart(), Math.ceil(dueAt - this.#now()));
  }

  #depart(): void {
    const together = [...this.#waiting];
    this.#waiting.clear();
    this.#stop();
    for (const go of together) go();
  }

  #stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#dueAt = Infinity;
  }
}
