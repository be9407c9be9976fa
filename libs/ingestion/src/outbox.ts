/** What is said on one connection: in order, and so far apart as the venue wants it. */
export class Outbox {
  readonly #send: (text: string) => void;
  readonly #everyMs: number;
  readonly #waiting: string[] = [];
  readonly #delayed = new Set<NodeJS.Timeout>();
  #pause: NodeJS.Timeout | undefined;
  #isOver = false;

  /**
   * @param send may end this outbox
   * @param everyMs shortest time between two messages; 0 = none
   */
  constructor(send: (text: string) => void, everyMs: number) {
    this.#send = send;
    this.#everyMs = everyMs;
  }

  say(...texts: readonly string[]): void {
    if (this.#isOver) return;
    this.#waiting.push(...texts);
    if (this.#pause === undefined) this.#next();
  }

  sayAfter(text: string, ms: number): void {
    if (this.#isOver) return;
    const timer = setTimeout(() => {
      this.#delayed.delete(timer);
      this.say(text);
    }, ms);
    this.#delayed.add(timer);
  }

  /** The connection is gone: nothing more is said. */
  end(): void {
    this.#isOver = true;
    this.#waiting.length = 0;
    clearTimeout(this.#pause);
    for (const timer of this.#delayed) clearTimeout(timer);
    this.#delayed.clear();
  }

  #next(): void {
    this.#pause = undefined;
    for (let text = this.#waiting.shift(); text !== undefined; text = this.#waiting.shift()) {
      if (this.#everyMs > 0) this.#pause = setTimeout(() => this.#next(), this.#everyMs);
      this.#send(text);
      if (this.#pause !== undefined) return;
    }
  }
}
