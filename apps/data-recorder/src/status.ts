import type { MarketDataError } from '@aipx/market-model';
import type { ColdCounts, HotCounts } from '@aipx/recording';
import type { SinkStatus } from './sinks/sink.js';

/** The sinks that are switched on. Both are absent until the log is open. */
export interface SinkStatuses {
  readonly hot: SinkStatus<HotCounts> | undefined;
  readonly cold: SinkStatus<ColdCounts> | undefined;
}

/** How the way from the log stands. */
export interface LogStatus {
  readonly isOpen: boolean;
  /** Why it does not answer; `undefined` while it does. */
  readonly fault: MarketDataError | undefined;
  /** What was told of it last; empty when nothing ever was. */
  readonly lastError: string;
}

/** Records between a sink's positions and the log's ends, by topic. */
export type Lag = ReadonlyMap<string, number>;

export interface RecorderServiceStatus {
  readonly isReady: boolean;
  readonly log: LogStatus;
  readonly sinks: SinkStatuses;
  readonly lag: { readonly hot: Lag; readonly cold: Lag };
}

export function sinksOf({ hot, cold }: SinkStatuses): readonly SinkStatus[] {
  return [hot, cold].filter((sink) => sink !== undefined);
}

/** Age in ms of what the log took at this time (ns since the Unix epoch). */
export function ageMs(appendedAt: bigint, nowMs: number): number {
  return Math.max(0, nowMs - Number(appendedAt / 1_000_000n));
}
