/** What `npm start` prints: the design's section 5 fixes names and meaning, for scripts read them. */

export interface Ready {
  readonly event: 'ready';
  readonly pid: number;
  readonly log_id: string;
  readonly data_dir: string;
  readonly lake_dir: string;
  readonly database_url: string;
  readonly venues: Readonly<Record<string, VenueReady>>;
}

export interface VenueReady {
  readonly url: string;
  readonly symbols: readonly string[];
  /** To be made: a venue may give each of its keys one, with so many streams. */
  readonly connections: number;
  /** A market that is made up trades at any hour. */
  readonly source: 'live' | 'market' | 'frames';
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
  /** Codes in which trading stands still, as the venue says. */
  readonly halted?: readonly string[];
  /** There is no session now, so no data is expected. */
  readonly market_closed?: true;
  /** What must come before it can be connected to. */
  readonly waits_for?: readonly string[];
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
  /** Records in the frames that the simulator wrote; null where nobody counted: `--live`, `--frames`. */
  readonly sent: number | null;
  readonly received: number;
  readonly tick: number;
  readonly orderbook: number;
  readonly ignored: number;
  readonly repeated: number;
  readonly rejected: number;
  /** Connections that replaced a lost one. */
  readonly reconnects: number;
  /** By cause, in small letters: `sequence`, `reconnect`. */
  readonly gaps: Readonly<Record<string, number>>;
  /** What is known to have been traded in them: decimal text. */
  readonly missed_volume: string;
  /** Times that the venue told of a halt in a symbol. */
  readonly halts: number;
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
    ...Object.entries(summary.venues).map(recordsCheck),
  ];
  return checks.filter(([holds]) => !holds).map(([, sentence]) => sentence);
}

/** A frame that cannot be read counts as one record, and a lost connection takes some with it. */
function recordsCheck([id, venue]: readonly [string, VenueSummary]): readonly [boolean, string] {
  const { sent, received, ignored, rejected, reconnects } = venue;
  const isComparable = sent !== null && rejected === 0 && reconnects === 0;
  return [!isComparable || sent === received + ignored, `${id}: sent ${sent} records, but read ${received + ignored}`];
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
