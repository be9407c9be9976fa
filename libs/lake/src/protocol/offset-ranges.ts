import type { OffsetRange } from '@aipx/event-log';

/** Ascending offsets as the fewest ranges. */
export function rangesOf(offsets: Iterable<bigint>): OffsetRange[] {
  const ranges: { begin: bigint; end: bigint }[] = [];
  for (const offset of offsets) {
    const last = ranges.at(-1);
    if (last?.end === offset) last.end += 1n;
    else ranges.push({ begin: offset, end: offset + 1n });
  }
  return ranges;
}

/**
 * What `range` has outside of `parts`, which must not overlap.
 *
 * @returns `undefined` when two parts overlap or one reaches out of the range
 */
export function restOf(range: OffsetRange, parts: readonly OffsetRange[]): OffsetRange[] | undefined {
  const rest: OffsetRange[] = [];
  let reached = range.begin;
  for (const { begin, end } of parts.toSorted((a, b) => (a.begin < b.begin ? -1 : 1))) {
    if (begin < reached || end > range.end) return undefined;
    if (begin > reached) rest.push({ begin: reached, end: begin });
    reached = end;
  }
  if (reached < range.end) rest.push({ begin: reached, end: range.end });
  return rest;
}

/** What `range` has of `parts`. */
export function partsWithin(range: OffsetRange, parts: readonly OffsetRange[]): OffsetRange[] {
  return parts
    .map(({ begin, end }) => ({
      begin: begin > range.begin ? begin : range.begin,
      end: end < range.end ? end : range.end,
    }))
    .filter(({ begin, end }) => begin < end);
}

/** Whether `parts` ascend, do not touch, and lie in `range`: the only spelling of a set of offsets. */
export function isCanonical(range: OffsetRange, parts: readonly OffsetRange[]): boolean {
  return parts.every(({ begin, end }, index) => {
    const previous = parts[index - 1];
    return begin < end && begin >= range.begin && end <= range.end && (previous === undefined || previous.end < begin);
  });
}

/** The first and the last offset of canonical ranges, `null` when there are none. */
export function edgesOf(ranges: readonly OffsetRange[]): readonly [first: bigint | null, last: bigint | null] {
  const last = ranges.at(-1);
  return [ranges[0]?.begin ?? null, last === undefined ? null : last.end - 1n];
}

export function countOf(ranges: readonly OffsetRange[]): bigint {
  return ranges.reduce((sum, { begin, end }) => sum + (end - begin), 0n);
}
