/** Shares from `from` (exclusive) to `to` (inclusive), counted from the start of the day. */
export interface Interval {
  readonly from: bigint;
  readonly to: bigint;
}

/** What is left of `holes` when `filled` is known, and how many shares of `filled` were missing. */
export function fill(holes: readonly Interval[], filled: Interval): { left: readonly Interval[]; volume: bigint } {
  let volume = 0n;
  const left: Interval[] = [];
  for (const hole of holes) {
    const from = hole.from > filled.from ? hole.from : filled.from;
    const to = hole.to < filled.to ? hole.to : filled.to;
    if (from >= to) {
      left.push(hole);
      continue;
    }
    volume += to - from;
    if (hole.from < from) left.push({ from: hole.from, to: from });
    if (to < hole.to) left.push({ from: to, to: hole.to });
  }
  return { left, volume };
}
