/** Things that happen, kept in their order, so that one can also wait for what has happened already. */
export class Signals<T> {
  readonly #seen: T[] = [];
  readonly #waiting = new Set<() => void>();

  get count(): number {
    return this.#seen.length;
  }

  /** From the `since`-th on. */
  since(since: number): readonly T[] {
    return this.#seen.slice(since);
  }

  add(item: T): void {
    this.#seen.push(item);
    for (const look of [...this.#waiting]) look();
  }

  /**
   * The first one from the `since`-th on that is meant.
   *
   * @throws when it does not come within `withinMs`; the message says what was waited for
   */
  async first(
    isMeant: (item: T) => boolean,
    { since = 0, what, withinMs }: { readonly since?: number; readonly what: string; readonly withinMs: number },
  ): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    let next = since;
    const look = () => {
      for (; next < this.#seen.length; next += 1) {
        const item = this.#seen[next] as T;
        if (isMeant(item)) resolve(item);
      }
    };
    const timer = setTimeout(() => reject(new Error(`waited ${withinMs / 1_000} s in vain: ${what}`)), withinMs);
    this.#waiting.add(look);
    look();
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(look);
    }
  }
}
