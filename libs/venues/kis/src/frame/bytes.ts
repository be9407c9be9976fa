const BAR = 124;
const CARET = 94;

/** The bytes of a data frame by the fields of its payload: for what is rejected. Its separators are looked for once. */
export class FieldBytes {
  readonly #frame: Uint8Array;
  /** Where each field begins, and where one more would begin. */
  #starts: readonly number[] | undefined;

  constructor(frame: Uint8Array) {
    this.#frame = frame;
  }

  /** A copy of the fields `from` to `to` (exclusive), of which there is one at least. */
  range(from: number, to: number): Uint8Array {
    const starts = (this.#starts ??= fieldStarts(this.#frame));
    return this.#frame.slice(starts[from], (starts[to] as number) - 1);
  }
}

function fieldStarts(frame: Uint8Array): readonly number[] {
  const starts: number[] = [];
  let at = payloadStart(frame);
  while (at <= frame.length) {
    starts.push(at);
    const caret = frame.indexOf(CARET, at);
    at = caret === -1 ? frame.length + 1 : caret + 1;
  }
  starts.push(at);
  return starts;
}

/** Behind the first three bars. */
function payloadStart(frame: Uint8Array): number {
  let at = 0;
  for (let bars = 0; bars < 3; bars += 1) at = frame.indexOf(BAR, at) + 1;
  return at;
}
