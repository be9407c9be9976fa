import type { LogEntry } from '@aipx/event-log';
import type { Nanoseconds } from '@aipx/market-model';

/** A record for the event log, with the time it was received. */
export interface SpillEntry extends LogEntry {
  readonly receivedAt: Nanoseconds;
}

export interface SpilledEntry {
  /** Ascending by one in the order of writing. */
  readonly sequence: bigint;
  readonly entry: SpillEntry;
}

/** Half open, of sequence numbers. */
export interface SequenceRange {
  readonly from: number;
  readonly to: number;
}
