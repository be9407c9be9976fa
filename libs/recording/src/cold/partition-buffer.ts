import type { LogRecord } from '@aipx/event-log';
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

/** What one partition has waiting: the batch that fills, and at most one that is being stored. */
export class PartitionBuffer {
  readonly #limits: BatchLimits;
  readonly #opened: ColdPartition;
  readonly #onWaited: () => void;
  #packer = new RecordPacker();
  /** Behind what was handed over, or lost before it could be. */
  #end: bigint;
  #last: LogRecord | undefined;
  #timer: NodeJS.Timeout | undefined;
  #storing: Promise<void> | undefined;
  #bytesStoring = 0;

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

  /** Bytes of the batch that fills. */
  get bytes(): number {
    return this.#packer.bytes;
  }

  /** Bytes held in all: those that fill and those being stored. */
  get bytesHeld(): number {
    return this.#packer.bytes + this.#bytesStoring;
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
    this.#end = record.offset + 1n;
  }

  /**
   * Cuts what is there, if anything, and stores it beside whatever comes next: also a stretch without a record, which
   * the store then counts as lost. Must not be called while storing.
   *
   * @param write must not reject
   */
  store(write: (opened: ColdPartition, batch: ColdBatch) => Promise<void>): void {
    if (this.#end <= this.position) return;
    const lastHash = this.#last === undefined ? null : recordHash(this.#last);
    const batch = { end: this.#end, lastHash, records: this.#packer.pack() };
    const bytes = this.#packer.bytes;
    this.forget();
    this.#bytesStoring = bytes;
    this.#storing = write(this.#opened, batch).finally(() => {
      this.#storing = undefined;
      this.#bytesStoring = 0;
    });
  }

  /** Drops the batch that fills. */
  forget(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#packer = new RecordPacker();
    this.#last = undefined;
    this.#end = this.position;
  }
}
