/** Calls back once when nothing was heard for a time. Does nothing until started, and nothing after `stop`. */
export class SilenceWatchdog {
  readonly #timeoutMs: number;
  readonly #onSilence: () => void;
  #timer: NodeJS.Timeout | undefined;
  #lastLook: NodeJS.Immediate | undefined;

  constructor(timeoutMs: number, onSilence: () => void) {
    this.#timeoutMs = timeoutMs;
    this.#onSilence = onSilence;
  }

  /** Begins, or begins anew after `stop`. */
  start(): void {
    this.stop();
    this.#timer = setTimeout(() => this.#suspect(), this.#timeoutMs);
  }

  heard(): void {
    this.#timer?.refresh();
    if (this.#lastLook === undefined) return;
    clearImmediate(this.#lastLook);
    this.#lastLook = undefined;
  }

  stop(): void {
    clearTimeout(this.#timer);
    clearImmediate(this.#lastLook);
    this.#timer = undefined;
    this.#lastLook = undefined;
  }

  /**
   * A process that was held up finds its timers due before it has read its sockets. The event loop reads them between
   * timers and immediates, so what arrived meanwhile is heard before anybody is called dead.
   */
  #suspect(): void {
    this.#lastLook = setImmediate(() => {
      this.stop();
      this.#onSilence();
    });
  }
}
