import type { LogEntry } from '@aipx/event-log';
import type { Gap, Nanoseconds } from '@aipx/market-model';

export type RecordKind = 'tick' | 'orderbook' | 'gap' | 'deadLetter';

/** One (exchange, symbol, channel), shared by its records so that none of them needs a lookup. */
export interface Stream {
  readonly kind: 'tick' | 'orderbook';
  readonly exchange: string;
  readonly symbol: string;
  /** When its last record was received. */
  lastAt: Nanoseconds | undefined;
}

/** A record on its way to the log. */
export interface WaitingRecord {
  readonly kind: RecordKind;
  /** Empty where nobody knows. */
  readonly exchange: string;
  /** Of ticks and books. */
  readonly stream: Stream | undefined;
  /** Records of equal `replaceKey` may become one while they wait: books of a stream, gaps of a key and cause. */
  readonly replaceKey: unknown;
  readonly entry: LogEntry;
  /** Of gaps made by this process, so that they can still be merged. */
  readonly gap: Gap | undefined;
  readonly receivedAt: Nanoseconds;
  /** When its stream's record before it was received. */
  readonly after: Nanoseconds | undefined;
  /** Monotonic, ms: since when it waits. */
  readonly waitingSince: number;
  /** Memory it takes, roughly. */
  readonly bytes: number;
  /** Its number on the disk, when a copy lies there. */
  spilledAs: bigint | undefined;
}

/** What an object with its entry takes beside key and value. */
const OBJECT_BYTES = 250;

export function recordBytes(entry: LogEntry): number {
  return entry.value.byteLength + entry.key.length + OBJECT_BYTES;
}

/** A record that may wait for long: else it would keep the block of 64 KB that it shares with others, which do not wait. */
export function inOwnMemory(record: WaitingRecord): WaitingRecord {
  const { entry } = record;
  return { ...record, entry: { ...entry, value: new Uint8Array(entry.value) } };
}
