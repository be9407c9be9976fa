/** Things put and taken in order; whoever takes too early waits. */
export class Mailbox<Thing> {
  readonly #things: Thing[] = [];
  readonly #takers: ((thing: Thing) => void)[] = [];

  put(thing: Thing): void {
    const taker = this.#takers.shift();
    if (taker === undefined) this.#things.push(thing);
    else taker(thing);
  }

  take(): Promise<Thing> {
    const thing = this.#things.shift();
    return thing === undefined ? new Promise((resolve) => this.#takers.push(resolve)) : Promise.resolve(thing);
  }
}
