/** A message, made when its turn comes; `undefined`: it is wanted no more. */
export type Message = () => string | undefined;

/** What is said on one connection: in order, and so far apart as the venue wants it. */
export class Outbox {
  readonly #send: (text: string) => void;
  readonly #everyMs: number;
  readonly #waiting: Message[] = [];
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

  say(...messages: readonly Message[]): void {
    if (this.#isOver) return;
    this.#waiting.push(...messages);
    if (this.#pause === undefined) this.#next();
  }

  /** The connection is gone: nothing more is said. */
  end(): void {
    this.#isOver = true;
    this.#waiting.length = 0;
    clearTimeout(this.#pause);
  }

  #next(): void {
    this.#pause = undefined;
    for (let message = this.#waiting.shift(); message !== undefined; message = this.#waiting.shift()) {
      const text = message();
      if (text === undefined) continue;
      if (this.#everyMs > 0) this.#pause = setTimeout(() => this.#next(), this.#everyMs);
      this.#send(text);
      if (this.#pause !== undefined) return;
    }
  }
}
