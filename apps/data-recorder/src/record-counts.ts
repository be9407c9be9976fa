import type { ColdCounts, HotCounts } from '@aipx/recording';
import type { SinkStatuses } from './status.js';

/** What a sink did with the records that it is done with. */
export interface RecordCounts {
  readonly tick: number;
  readonly orderbook: number;
  readonly gap: number;
  /** Trades that the store had already. */
  readonly duplicates: number;
  /** Without a row: undecodable, refused, or in conflict with one. */
  readonly deadLetters: number;
}

/** By the name that the sinks have in logs, metrics and health. A sink counts from when its store is open. */
export function recordCounts({ hot, cold }: SinkStatuses): readonly (readonly [string, RecordCounts])[] {
  return [
    ...(hot?.counts === undefined ? [] : [[hot.name, hotRecords(hot.counts)] as const]),
    ...(cold?.counts === undefined ? [] : [[cold.name, coldRecords(cold.counts)] as const]),
  ];
}

export function handled({ tick, orderbook, gap, duplicates, deadLetters }: RecordCounts): number {
  return tick + orderbook + gap + duplicates + deadLetters;
}

function hotRecords({ tick, orderbook, gap, duplicates, conflicts, dlq, gapDlq }: HotCounts): RecordCounts {
  return { tick, orderbook, gap, duplicates, deadLetters: conflicts + dlq + gapDlq };
}

function coldRecords({ tick, orderbook, gap, dlq, gapDlq }: ColdCounts): RecordCounts {
  return { tick, orderbook, gap, duplicates: 0, deadLetters: dlq + gapDlq };
}
