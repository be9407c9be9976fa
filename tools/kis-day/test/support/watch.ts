/** Lets a test wait for what others count. */
export class Watch {
  readonly #looks = new Set<() => void>();

  /** Something is otherwise than before. */
  changed(): void {
    for (const look of this.#looks) look();
  }

  /** Resolves when it is so; looks again after each change. */
  until(isSo: () => boolean): Promise<void> {
    if (isSo()) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const look = () => {
      if (!isSo()) return;
      this.#looks.delete(look);
      resolve(undefined);
    };
    this.#looks.add(look);
    return promise;
  }
}
