/** What may be wrong: a frame, a gap that names what is missing, a sum, or a record's shape. */
export const FINDING_KINDS = [
  'lost',
  'doubled',
  'out of order',
  'made up',
  'wrong gaps',
  'wrong sums',
  'other faults',
] as const;
export type FindingKind = (typeof FINDING_KINDS)[number];

const SHOWN_OF_A_KIND = 10;

/** Counts what is wrong and keeps the first few of each kind in words. */
export class Findings {
  readonly counts: Record<FindingKind, number> = {
    lost: 0,
    doubled: 0,
    'out of order': 0,
    'made up': 0,
    'wrong gaps': 0,
    'wrong sums': 0,
    'other faults': 0,
  };
  readonly #shown = new Map<FindingKind, { readonly lines: string[]; told: number }>();

  /** @param count how many of the kind the sentence speaks of */
  add(kind: FindingKind, says: string, count = 1): void {
    this.counts[kind] += count;
    const shown = this.#shown.get(kind) ?? { lines: [], told: 0 };
    this.#shown.set(kind, shown);
    if (shown.lines.length === SHOWN_OF_A_KIND) return;
    shown.lines.push(says);
    shown.told += count;
  }

  /** How many of the kinds together. */
  get total(): number {
    return FINDING_KINDS.reduce((sum, kind) => sum + this.counts[kind], 0);
  }

  /** The first few of each kind, in words. */
  get lines(): readonly string[] {
    return [...this.#shown].flatMap(([kind, { lines, told }]) => {
      const more = this.counts[kind] - told;
      const all = lines.map((says) => `${kind}: ${says}`);
      return more > 0 ? [...all, `${kind}: and ${more} more`] : all;
    });
  }
}
