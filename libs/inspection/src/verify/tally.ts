/** What was counted for a topic in an hour of event time. Rows, but for `gaps`. */
export interface Counts {
  /** Records of the log that were compared. */
  log: number;
  database: number;
  lake: number;
  /** Records kept as dead letters instead of rows. */
  deadLetters: number;
  /** Rows missing from the database, and those missing from the lake. */
  lost: number;
  doubled: number;
  different: number;
  conflicts: number;
  /** Trades that the venue sent again, with the same content: in the lake each time, in the database once. */
  venueDuplicates: number;
  /** Stretches that are known to be missing, by the channel they are about. */
  gaps: number;
  /** Rows that retention has removed, from the database or from the log before they were read. */
  removed: number;
}

export interface HourCounts extends Counts {
  readonly topic: string;
  /** `2024-05-01T13`, UTC; `undefined` for what nobody knows the time of any more. */
  readonly hour: string | undefined;
}

const HOUR_NS = 3_600_000_000_000n;

/** Counts by topic and hour. */
export class Tally {
  readonly #hours = new Map<string, HourCounts>();
  readonly #lastHour = new Map<string, { readonly index: bigint; readonly counts: HourCounts }>();

  at(topic: string, time: bigint | undefined): Counts {
    if (time === undefined) return this.#of(topic, undefined);
    const index = time / HOUR_NS;
    const last = this.#lastHour.get(topic);
    if (last?.index === index) return last.counts;
    const counts = this.#of(topic, new Date(Number(index) * 3_600_000).toISOString().slice(0, 13));
    this.#lastHour.set(topic, { index, counts });
    return counts;
  }

  /** Of an hour as the lake's folders name it. */
  atHour(topic: string, hour: string | undefined): Counts {
    return this.#of(topic, hour);
  }

  /** By topic, then hour; those in which anything was counted. */
  get hours(): readonly HourCounts[] {
    const sorted = [...this.#hours.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, counts]) => counts);
    return sorted.filter((counts) => NAMES.some((name) => counts[name] > 0));
  }

  get total(): Counts {
    const total = none();
    for (const counts of this.#hours.values()) {
      for (const name of NAMES) total[name] += counts[name];
    }
    return total;
  }

  #of(topic: string, hour: string | undefined): HourCounts {
    const key = `${topic} ${hour ?? ''}`;
    const known = this.#hours.get(key);
    if (known !== undefined) return known;
    const counts = { topic, hour, ...none() };
    this.#hours.set(key, counts);
    return counts;
  }
}

function none(): Counts {
  return {
    log: 0,
    database: 0,
    lake: 0,
    deadLetters: 0,
    lost: 0,
    doubled: 0,
    different: 0,
    conflicts: 0,
    venueDuplicates: 0,
    gaps: 0,
    removed: 0,
  };
}

const NAMES = Object.keys(none()) as readonly (keyof Counts)[];
