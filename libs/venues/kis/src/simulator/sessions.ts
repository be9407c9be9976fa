interface Slot {
  readonly owner: object;
  /** When a zombie lets go, ms of the machine's clock; `undefined` while its owner lives. */
  readonly until: number | undefined;
}

/** One session an appkey. A session that ended abruptly holds its key for a while: nothing frees it but time. */
export class Sessions {
  readonly #wall: () => number;
  readonly #slots = new Map<string, Slot>();

  constructor(wall: () => number) {
    this.#wall = wall;
  }

  /** False while somebody else holds the key. */
  claim(appkey: string, owner: object): boolean {
    const slot = this.#slots.get(appkey);
    const free = slot === undefined || slot.owner === owner || (slot.until !== undefined && slot.until <= this.#wall());
    if (free) this.#slots.set(appkey, { owner, until: undefined });
    return free;
  }

  /** @param holdMs for how long the key stays taken all the same */
  release(appkey: string, owner: object, holdMs: number): void {
    if (this.#slots.get(appkey)?.owner !== owner) return;
    if (holdMs === 0) this.#slots.delete(appkey);
    else this.#slots.set(appkey, { owner, until: this.#wall() + holdMs });
  }
}
