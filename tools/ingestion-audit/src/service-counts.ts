/** What the service counts, summed over its lives. Trades and books unless it says otherwise. */
export interface ServiceCounts {
  /** `undefined` when a life ended under load: what came in its last moment it does not tell. */
  readonly received: number | undefined;
  readonly published: number;
  readonly conflated: number;
  readonly dropped: Readonly<Record<string, number>>;
  /** Records of every kind that were written to the disk. */
  readonly spilled: number;
  /** From its last counts to its end, for each life that was killed: what it did then it could not tell. */
  readonly untold: readonly Untold[];
}

/** One life of the service. */
export interface Life {
  readonly connections: readonly string[];
  /** Trades and books that it says Kafka has acknowledged; those of an earlier life, found on the disk, among them. */
  readonly published: number;
  readonly foundOnDisk: number;
}

/** Wall clock, ns since 1970. */
export interface Untold {
  readonly from: bigint;
  readonly to: bigint;
}

export const NO_COUNTS: ServiceCounts = {
  received: 0,
  published: 0,
  conflated: 0,
  dropped: {},
  spilled: 0,
  untold: [],
};

export function addCounts(a: ServiceCounts, b: ServiceCounts): ServiceCounts {
  const dropped: Record<string, number> = { ...a.dropped };
  for (const [reason, count] of Object.entries(b.dropped)) dropped[reason] = (dropped[reason] ?? 0) + count;
  return {
    received: a.received === undefined || b.received === undefined ? undefined : a.received + b.received,
    published: a.published + b.published,
    conflated: a.conflated + b.conflated,
    dropped,
    spilled: a.spilled + b.spilled,
    untold: [...a.untold, ...b.untold],
  };
}
