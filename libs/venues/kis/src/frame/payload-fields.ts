/** The fields of a payload. Each is cut out when it is asked for: of a trade's 47 a quarter is read. */
export class PayloadFields {
  readonly #payload: string;
  /** Where each field begins, and where one more would begin. */
  readonly #starts: number[] = [0];

  constructor(payload: string) {
    this.#payload = payload;
    for (let caret = payload.indexOf('^'); caret !== -1; caret = payload.indexOf('^', caret + 1)) {
      this.#starts.push(caret + 1);
    }
    this.#starts.push(payload.length + 1);
  }

  /** One at least: an empty payload is an empty field. */
  get length(): number {
    return this.#starts.length - 1;
  }

  /** Empty behind the last one. */
  at(index: number): string {
    const next = this.#starts[index + 1];
    return next === undefined ? '' : this.#payload.slice(this.#starts[index], next - 1);
  }
}
