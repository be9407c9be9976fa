import { addDecimal, type Decimal, type Gap, type Nanoseconds } from '@aipx/market-model';

const ONE_SECOND = 1_000_000_000n;

/**
 * At most one gap a second per key and cause reaches the log. Further ones wait here and merge: earliest `from`, latest
 * `to`, sum of `missed`, where an unknown count (0) stays unknown. Waiting ones are never dropped; their number is
 * bounded by the subscribed streams times the causes.
 */
export class GapMerger {
  readonly #slots = new Map<string, { emittedAt: Nanoseconds; pending: Gap | undefined }>();
  #pending = 0;

  /** The gap itself if it may go now, else `undefined`: it waits for `due` or `flush`. */
  add(gap: Gap, now: Nanoseconds): Gap | undefined {
    const key = keyOf(gap);
    const slot = this.#slots.get(key);
    if (slot === undefined || (slot.pending === undefined && now - slot.emittedAt >= ONE_SECOND)) {
      this.#slots.set(key, { emittedAt: now, pending: undefined });
      return gap;
    }
    if (slot.pending === undefined) this.#pending += 1;
    slot.pending = slot.pending === undefined ? gap : mergeGaps(slot.pending, gap);
    return undefined;
  }

  get isPending(): boolean {
    return this.#pending > 0;
  }

  /** The waiting gaps whose second is over. */
  due(now: Nanoseconds): Gap[] {
    const gaps = this.#take((slot) => now - slot.emittedAt >= ONE_SECOND, now);
    // Symbols may be anything a bad record claims: what is quiet is forgotten.
    for (const [key, { emittedAt }] of this.#slots) if (now - emittedAt >= ONE_SECOND) this.#slots.delete(key);
    return gaps;
  }

  /** All waiting gaps. */
  flush(now: Nanoseconds): Gap[] {
    return this.#take(() => true, now);
  }

  #take(ready: (slot: { emittedAt: Nanoseconds }) => boolean, now: Nanoseconds): Gap[] {
    const gaps: Gap[] = [];
    for (const slot of this.#slots.values()) {
      if (slot.pending === undefined || !ready(slot)) continue;
      gaps.push(slot.pending);
      slot.pending = undefined;
      this.#pending -= 1;
      slot.emittedAt = now;
    }
    return gaps;
  }
}

/** One gap a key and cause, in the order of their first. */
export function mergeByKey(gaps: readonly Gap[]): readonly Gap[] {
  const merged = new Map<string, Gap>();
  for (const gap of gaps) {
    const key = keyOf(gap);
    const earlier = merged.get(key);
    merged.set(key, earlier === undefined ? gap : mergeGaps(earlier, gap));
  }
  return [...merged.values()];
}

function keyOf({ cause, exchange, channel, symbol }: Gap): string {
  return `${cause} ${exchange} ${channel} ${symbol}`;
}

/** Earliest `from`, latest `to`, sums where both are known. */
export function mergeGaps(a: Gap, b: Gap): Gap {
  return {
    ...a,
    from: a.from < b.from ? a.from : b.from,
    to: a.to > b.to ? a.to : b.to,
    missed: a.missed === 0n || b.missed === 0n ? 0n : a.missed + b.missed,
    missedVolume: sum(a.missedVolume, b.missedVolume),
    detail: a.detail === b.detail ? a.detail : `${a.detail}; ${b.detail}`.slice(0, 500),
  };
}

/** What one part does not know is unknown as a whole. */
function sum(a: Decimal | undefined, b: Decimal | undefined): Decimal | undefined {
  return a === undefined || b === undefined ? undefined : addDecimal(a, b);
}
