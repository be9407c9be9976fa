import type { LogRecord, TopicPartition } from '@aipx/event-log';
import type { MarketDataError, Nanoseconds } from '@aipx/market-model';
import { decodeRecord } from '../decode-record.js';
import { recordHash } from '../record-hash.js';
import { heldBytes } from './held-bytes.js';
import { stepFrom, type HotState, type HotStep } from './hot-protocol.js';
import type { HotRow, PositionMove } from './hot-store.js';
import { retentionGap } from './retention-gap.js';

/** One step of a partition's position: a row for the store, or a record that is none. */
export type QueueItem = StoredItem | DeadItem;

export interface StoredItem {
  readonly row: HotRow;
  /** The position once this is stored. */
  readonly next: bigint;
}

export interface DeadItem {
  readonly record: LogRecord;
  readonly error: MarketDataError;
  readonly next: bigint;
}

/** The head of a queue, on its way into the store. */
export interface QueueHead {
  readonly queue: PartitionQueue;
  readonly items: readonly QueueItem[];
  readonly move: PositionMove;
}

/** What was handed over of one partition and is not stored yet, from the stored position on, no record left out. */
export class PartitionQueue {
  readonly partition: TopicPartition;
  #state: HotState = 'waiting';
  #items: QueueItem[] = [];
  #bytes = 0;
  #storedTo: bigint;
  #queuedTo: bigint;

  constructor(partition: TopicPartition, position: bigint) {
    this.partition = partition;
    this.#storedTo = position;
    this.#queuedTo = position;
  }

  get state(): HotState {
    return this.#state;
  }

  get revoked(): boolean {
    return this.#state === 'revoked';
  }

  /** The first offset that is not stored. */
  get storedTo(): bigint {
    return this.#storedTo;
  }

  /** The first offset that was not handed over. */
  get queuedTo(): bigint {
    return this.#queuedTo;
  }

  get length(): number {
    return this.#items.length;
  }

  /** The memory that what waits takes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** When the log took the oldest record that waits. */
  get waitingSince(): Nanoseconds | undefined {
    const [first] = this.#items;
    if (first === undefined) return undefined;
    if ('row' in first && first.row.event.kind === 'gap' && first.row.record === undefined) return first.row.event.to;
    return recordOf(first)?.appendedAt;
  }

  /** Nothing of it may be written any more. */
  revoke(): void {
    this.step('revoked');
    this.#items = [];
    this.#bytes = 0;
  }

  step(step: HotStep): void {
    this.#state = stepFrom(this.#state, step);
  }

  /** Takes the next records: what was taken before is trimmed, and an offset that the log passes over holds none. */
  add(records: readonly LogRecord[]): void {
    if (this.revoked) return;
    for (const record of records) {
      if (record.offset < this.#queuedTo) continue;
      const next = record.offset + 1n;
      const decoded = decodeRecord(record);
      this.#items.push(
        'event' in decoded
          ? { row: { ...this.partition, event: decoded.event, record }, next }
          : { record, error: decoded.error, next },
      );
      this.#bytes += heldBytes(record);
      this.#queuedTo = next;
    }
  }

  /** Notes that the offsets up to `to` cannot be read any more. */
  addRetentionGap(to: bigint, until: Nanoseconds): void {
    const event = retentionGap(this.partition, this.#queuedTo, to, until);
    this.#items.push({ row: { ...this.partition, event, record: undefined }, next: to });
    this.#queuedTo = to;
  }

  /** The first of what waits, as much as `limit` allows; it keeps waiting until it is stored. */
  head(limit = Infinity): QueueHead | undefined {
    const items = this.#items.slice(0, limit);
    const last = items.at(-1);
    if (last === undefined) return undefined;
    const record = recordOf(last);
    const lastHash = record === undefined ? undefined : recordHash(record);
    return { queue: this, items, move: { ...this.partition, from: this.#storedTo, to: last.next, lastHash } };
  }

  /** Forgets a head that is stored now. */
  drop(head: QueueHead): void {
    if (this.revoked) return;
    this.#items.splice(0, head.items.length);
    for (const item of head.items) {
      const record = recordOf(item);
      if (record !== undefined) this.#bytes -= heldBytes(record);
    }
    this.#storedTo = head.move.to;
  }
}

export function recordOf(item: QueueItem): LogRecord | undefined {
  return 'row' in item ? item.row.record : item.record;
}
