import type { CommittedOffset, LogRecord } from '@aipx/event-log';
import type { Nanoseconds } from '@aipx/market-model';
import { recordHash } from '../record-hash.js';
import type { ColdBatch, ColdPartition } from './cold-store.js';
import { RecordPacker } from './packed-records.js';

/** When a partition's batch is cut, whichever comes first. */
export interface BatchLimits {
  readonly rows: number;
  /** Of encoded records. */
  readonly bytes: number;
  /** Since the batch's first record came, in ms. */
  readonly waitMs: number;
}

/** What is being stored. */
interface Held {
  readonly bytes: number;
  readonly rows: number;
  readonly since: Nanoseconds | undefined;
}

const NOTHING: Held = { bytes: 0, rows: 0, since: undefined };

/** What one partition has waiting: the batch that fills, and at most one that is being stored. */
export class PartitionBuffer {
  readonly #limits: BatchLimits;
  readonly #opened: ColdPartition;
  readonly #onWaited: () => void;
  #packer = new RecordPacker();
  /** Behind what was handed over, or lost before it could be. */
  #end: bigint;
  #last: LogRecord | undefined;
  /** When the log took the first record of the batch that fills. */
  #since: Nanoseconds | undefined;
  #timer: NodeJS.Timeout | undefined;
  #storing: Promise<void> | undefined;
  #held: Held = NOTHING;
  #newestStored: Nanoseconds | undefined;

  /**
   * @param begin where reading begins. What lies between the position and it is gone from the log
   * @param onWaited called when a batch has waited for `limits.waitMs`
   */
  constructor(limits: BatchLimits, opened: ColdPartition, begin: bigint, onWaited: () => void) {
    this.#limits = limits;
    this.#opened = opened;
    this.#end = begin;
    this.#onWaited = onWaited;
  }

  /** The first offset not yet durable. */
  get position(): bigint {
    return this.#opened.position;
  }

  get hint(): CommittedOffset | undefined {
    return this.#opened.hint;
  }

  /** Bytes that the batch that fills takes. */
  get bytesFilling(): number {
    return this.#packer.bytesHeld;
  }

  /** Bytes held in all: those that fill and those being stored. */
  get bytesHeld(): number {
    return this.#packer.bytesHeld + this.#held.bytes;
  }

  get rowsHeld(): number {
    return this.#packer.rows + this.#held.rows;
  }

  /** When the log took the oldest record held; `undefined` without one. */
  get waitingSince(): Nanoseconds | undefined {
    return this.#held.since ?? this.#since;
  }

  /** When the log took the last record of the batch stored last; `undefined` before the first. */
  get newestStored(): Nanoseconds | undefined {
    return this.#newestStored;
  }

  get full(): boolean {
    return this.#packer.rows >= this.#limits.rows || this.#packer.bytes >= this.#limits.bytes;
  }

  /** Settles, never rejects, when the batch being stored no longer is. */
  get storing(): Promise<void> | undefined {
    return this.#storing;
  }

  append(record: LogRecord): void {
    // What waits is still in the log: no reason to keep a process alive.
    this.#timer ??= setTimeout(this.#onWaited, this.#limits.waitMs).unref();
    this.#packer.append(record);
    this.#last = record;
    this.#since ??= record.appendedAt;
    this.#end = record.offset + 1n;
  }

  /**
   * Cuts what is there, if anything, and stores it beside whatever comes next: also a stretch without a record, which
   * the store then counts as lost. Must not be called while storing.
   *
   * @param write must not reject
   */
  store(write: (opened: ColdPartition, batch: ColdBatch) => Promise<void>): void {
    if (this.#end <= this.position) {
      this.forget(); // another owner's batch reached further: what fills here is durable already
      return;
    }
    const last = this.#last;
    const lastHash = last === undefined ? null : recordHash(last);
    const batch = { end: this.#end, lastHash, records: this.#packer.pack() };
    const held = { bytes: this.#packer.bytesHeld, rows: this.#packer.rows, since: this.#since };
    this.forget();
    this.#held = held;
    this.#storing = write(this.#opened, batch).finally(() => {
      if (last !== undefined && this.position >= batch.end) this.#newestStored = last.appendedAt;
      this.#storing = undefined;
      this.#held = NOTHING;
    });
  }

  /** Drops the batch that fills. */
  forget(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#packer = new RecordPacker();
    this.#last = undefined;
    this.#since = undefined;
    this.#end = this.position;
  }
}
