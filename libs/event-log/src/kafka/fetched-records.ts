import type { LogRecord, ReadLimits, TopicPartition } from '../event-log.js';
import { abortedBatches } from './aborted-batches.js';
import { baseOffset, damaged, decodeBatch, expectSound, nextOffset, wholeBatches } from './wire/decode-batch.js';
import type { FetchedPartition } from './wire/fetch.js';

const WAY_OUT =
  'Records between are gone, as compaction or lost files leave it. To go on behind them, delete the records before that ' +
  'offset (kafka-delete-records): sinks then record what is missing. The topic needs cleanup.policy=delete';

interface FetchedBatch {
  readonly bytes: Buffer;
  readonly isAborted: boolean;
}

/**
 * What was fetched of a partition and not yet taken: each offset once, and none left out but those of transaction
 * markers and of what was aborted. Batches are unpacked one at a time, as they are taken.
 */
export class FetchedRecords {
  readonly #of: TopicPartition;
  /** Behind the last batch that was fetched. */
  #next: bigint;
  /** Behind the last batch that was unpacked. */
  #unpacked: bigint;
  #batches: FetchedBatch[] = [];
  #records: readonly LogRecord[] = [];
  #taken = 0;

  constructor(of: TopicPartition, from: bigint) {
    this.#of = of;
    this.#next = from;
    this.#unpacked = from;
  }

  /** The offset to fetch from. */
  get next(): bigint {
    return this.#next;
  }

  get isEmpty(): boolean {
    return this.#batches.length === 0 && this.#taken === this.#records.length;
  }

  /** @throws {MarketDataError} `STORE_DAMAGED` for bytes without a batch: a broker sends the first one whole, or nothing */
  add({ bytes, aborted }: Pick<FetchedPartition, 'bytes' | 'aborted'>): void {
    const batches = [...wholeBatches(bytes)];
    if (batches.length === 0 && bytes.length > 0) throw damaged(this.#of, this.#next, 'has a length that cannot be');
    const isAborted = abortedBatches(aborted);
    for (const batch of batches) {
      const fetched = { bytes: batch, isAborted: isAborted(batch) };
      const end = nextOffset(batch);
      if (end <= this.#next) continue;
      this.#batches.push(fetched);
      this.#next = end;
    }
  }

  /**
   * The next records, at least one if there is any.
   *
   * @throws {MarketDataError} `STORE_DAMAGED`, for a hole too
   */
  take({ maxRecords, maxBytes }: ReadLimits): readonly LogRecord[] {
    const taken: LogRecord[] = [];
    let bytes = 0;
    while (taken.length < maxRecords) {
      const record = this.#first(taken.length > 0);
      if (record === undefined) break;
      bytes += record.key.length + record.value.byteLength;
      if (bytes > maxBytes && taken.length > 0) break;
      taken.push(record);
      this.#taken += 1;
    }
    return taken;
  }

  #first(hasOthers: boolean): LogRecord | undefined {
    while (this.#taken === this.#records.length) {
      const [batch] = this.#batches;
      if (batch === undefined) return undefined;
      try {
        this.#unpack(batch);
      } catch (cause) {
        // What is sound before it is given first.
        if (hasOthers) return undefined;
        throw cause;
      }
      this.#batches.shift();
    }
    return this.#records[this.#taken];
  }

  #unpack({ bytes: batch, isAborted }: FetchedBatch): void {
    // What is passed over must be what it says: its header tells how many offsets that are.
    if (isAborted) expectSound(batch, this.#of);
    const records = isAborted ? [] : decodeBatch(batch, this.#of);
    const begin = baseOffset(batch);
    if (begin > this.#unpacked)
      throw damaged(this.#of, begin, `is the next behind offset ${this.#unpacked}. ${WAY_OUT}`);
    // A batch is fetched whole, also when it begins before what was asked for.
    this.#records = records.slice(Number(this.#unpacked - begin));
    this.#unpacked = nextOffset(batch);
    this.#taken = 0;
  }
}
