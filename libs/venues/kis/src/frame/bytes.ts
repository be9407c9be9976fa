const BAR = 124;
const CARET = 94;

/** The bytes of the fields `from` to `to` (exclusive) of a data frame's payload: for what is rejected. */
export function fieldRange(frame: Uint8Array, from: number, to: number): Uint8Array {
  const start = skip(frame, CARET, skip(frame, BAR, 0, 3), from);
  const next = skip(frame, CARET, start, to - from);
  return frame.slice(start, next > frame.length ? frame.length : next - 1);
}

/** Where it goes on behind the next `times` separators; one past the end where there are fewer. */
function skip(bytes: Uint8Array, separator: number, at: number, times: number): number {
  let start = at;
  for (let skipped = 0; skipped < times; skipped += 1) {
    const found = bytes.indexOf(separator, start);
    if (found === -1) return bytes.length + 1;
    start = found + 1;
  }
  return start;
}
