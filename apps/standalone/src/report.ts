/** What `npm start` prints: the design's section 5 fixes names and meaning, for scripts read them. */

export interface Ready {
  readonly event: 'ready';
  readonly pid: number;
  readonly log_id: string;
  readonly data_dir: string;
  readonly lake_dir: string;
  readonly database_url: string;
  readonly venues: Readonly<Record<string, { readonly url: string; readonly symbols: readonly string[] }>>;
}

export interface Status {
  readonly event: 'status';
  readonly rss_mb: number;
  readonly venues: Readonly<Record<string, VenueStatus>>;
  readonly published: number;
  /** Records in the log that a sink has not stored yet. */
  readonly lag: { readonly hot: number; readonly cold: number };
  readonly hot: { readonly tick: number; readonly orderbook: number; readonly gap: number };
  readonly cold: { readonly rows: number; readonly files: number };
}

export interface VenueStatus {
  /** As the connection's state machine names it. */
  readonly state: string;
  readonly received: number;
  /** Records a second since the status before. */
  readonly rate: number;
  /** Subscribed codes without data, if any. */
  readonly silent?: readonly string[];
}

export interface Summary {
  readonly event: 'summary';
  /** All counts add up. */
  readonly ok: boolean;
  readonly duration_s: number;
  readonly rss_mb: number;
  /** Data frames the simulators wrote; null with `--live`. */
  readonly sent: number | null;
  /** Data frames read. */
  readonly frames: number;
  readonly received: number;
  readonly published: number;
  readonly conflated: number;
  readonly dropped: {
    readonly rejected: number;
    readonly repeated: number;
    readonly expired: number;
    readonly overflow: number;
  };
  readonly gaps: number;
  readonly venues: Readonly<Record<string, VenueSummary>>;
  readonly hot: HotSummary;
  readonly cold: ColdSummary;
}

export interface VenueSummary {
  readonly received: number;
  readonly tick: number;
  readonly orderbook: number;
  readonly ignored: number;
  readonly rejected: number;
}

export interface HotSummary {
  readonly recovered: number;
  readonly recovered_gap: number;
  readonly tick: number;
  readonly orderbook: number;
  readonly gap: number;
  readonly duplicates: number;
  readonly conflicts: number;
  readonly dlq: number;
}

export interface ColdSummary {
  readonly recovered: number;
  readonly recovered_gap: number;
  readonly rows: number;
  readonly gap: number;
  readonly dlq: number;
  readonly files: number;
  readonly bytes: number;
}

/** The sums that must hold, each with the sentence that is printed when it does not. */
export function imbalances(summary: Omit<Summary, 'ok'>): readonly string[] {
  const { received, published, conflated, dropped, hot, cold, gaps, sent, frames } = summary;
  const lost = dropped.rejected + dropped.repeated + dropped.expired + dropped.overflow;
  const stored = hot.tick + hot.orderbook + hot.duplicates + hot.conflicts + hot.dlq;
  const checks: readonly (readonly [boolean, string])[] = [
    [
      received === published + conflated + lost,
      `received ${received}, but published ${published} + conflated ${conflated} + dropped ${lost}`,
    ],
    [
      published + hot.recovered === stored,
      `published ${published} + recovered ${hot.recovered}, but the database took ${stored}`,
    ],
    [hot.conflicts === 0, `${hot.conflicts} trades share an id with another trade and are not stored`],
    [
      published + cold.recovered === cold.rows + cold.dlq,
      `published ${published} + recovered ${cold.recovered}, but the lake took ${cold.rows} + ${cold.dlq}`,
    ],
    [
      gaps + hot.recovered_gap === hot.gap,
      `gaps ${gaps} + recovered ${hot.recovered_gap}, but the database took ${hot.gap}`,
    ],
    [
      gaps + cold.recovered_gap === cold.gap,
      `gaps ${gaps} + recovered ${cold.recovered_gap}, but the lake took ${cold.gap}`,
    ],
    [sent === null || sent === frames || gaps > 0, `sent ${sent} frames, but read ${frames} and no gap says why`],
  ];
  return checks.filter(([holds]) => !holds).map(([, sentence]) => sentence);
}

/** Records that stand in the DLQ instead of a store: not decodable, against the rules, or refused by the database. */
export function rejectedOf({ dropped, hot, cold }: Omit<Summary, 'ok'>): number {
  return dropped.rejected + Math.max(hot.dlq, cold.dlq);
}

/** 0: all adds up and nothing was rejected · 3: it adds up, but input was rejected · 1: it does not add up. */
export function exitCodeOf(summary: Summary): 0 | 1 | 3 {
  if (!summary.ok) return 1;
  return rejectedOf(summary) > 0 ? 3 : 0;
}
