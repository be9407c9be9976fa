/** Values up to and with a bound, and above the bound before. */
export interface Bucket {
  readonly atMostMs: number;
  readonly count: number;
}

/** How often which latency came. */
export class LatencyHistogram {
  /** Ascending. */
  readonly #buckets: readonly Bucket[];

  /** @param buckets ascending; each counts its own values only */
  constructor(buckets: readonly Bucket[]) {
    this.#buckets = buckets;
  }

  /** Of buckets that also count everything below, as Prometheus has them. */
  static ofCumulative(buckets: readonly Bucket[]): LatencyHistogram {
    return new LatencyHistogram(
      buckets.map(({ atMostMs, count }, index) => ({ atMostMs, count: count - (buckets[index - 1]?.count ?? 0) })),
    );
  }

  get count(): number {
    return this.#buckets.reduce((sum, { count }) => sum + count, 0);
  }

  /** What has come since an earlier state of the same histogram. */
  since(earlier: LatencyHistogram): LatencyHistogram {
    return new LatencyHistogram(
      this.#buckets.map(({ atMostMs, count }, index) => ({
        atMostMs,
        count: count - (earlier.#buckets[index]?.count ?? 0),
      })),
    );
  }

  /** Within its bucket a value is taken to lie evenly, as Prometheus does. @param share 0 to 1 @returns ms */
  quantile(share: number): number {
    let rank = share * this.count;
    let above = 0;
    for (const { atMostMs, count } of this.#buckets) {
      if (count >= rank && count > 0)
        return atMostMs === Infinity ? Infinity : above + (atMostMs - above) * (rank / count);
      rank -= count;
      above = atMostMs;
    }
    return Number.NaN;
  }

  /** The bound below which every value lies, ms. */
  get max(): number {
    return this.#buckets.findLast(({ count }) => count > 0)?.atMostMs ?? Number.NaN;
  }
}

const STEPS_A_MS = 10;
const MOST_MS = 2_000;

/** Counts latencies in steps of a tenth of a millisecond, in memory that does not grow. */
export class LatencyRecorder {
  readonly #counts = new Float64Array(MOST_MS * STEPS_A_MS + 1);

  record(ms: number): void {
    const step = Math.min(Math.max(0, Math.ceil(ms * STEPS_A_MS) - 1), this.#counts.length - 1);
    this.#counts[step] = (this.#counts[step] ?? 0) + 1;
  }

  /** Of the steps that have values, each with an empty one below that says where it begins. */
  buckets(): readonly Bucket[] {
    return [...this.#counts].flatMap((count, step) =>
      count === 0
        ? []
        : [
            { atMostMs: step / STEPS_A_MS, count: 0 },
            { atMostMs: step === this.#counts.length - 1 ? Infinity : (step + 1) / STEPS_A_MS, count },
          ],
    );
  }
}
