import type { LogRecord, ReadLimits, TopicPartition } from '../event-log.js';
import { damaged, decodeBatch, nextOffset, wholeBatches } from './wire/decode-batch.js';

/** What was fetched of a partition and not yet taken. Batches are unpacked one at a time, as they are taken. */
export class FetchedRecords {
  readonly #of: TopicPartition;
  readonly #from: bigint;
  #next: bigint;
  #batches: Buffer[] = [];
  #records: readonly LogRecord[] = [];
  #taken = 0;

  constructor(of: TopicPartition, from: bigint) {
    this.#of = of;
    this.#from = from;
    this.#next = from;
  }

  /** The offset to fetch from. */
  get next(): bigint {
    return this.#next;
  }

  get isEmpty(): boolean {
    return this.#batches.length === 0 && this.#taken === this.#records.length;
  }

  /** @throws {MarketDataError} `STORE_DAMAGED` for bytes without a batch: a broker sends the first one whole, or nothing */
  add(bytes: Buffer): void {
    const batches = [...wholeBatches(bytes)];
    if (batches.length === 0 && bytes.length > 0) throw damaged(this.#of, this.#next, 'has a length that cannot be');
    for (const batch of batches) {
      const end = nextOffset(batch);
      if (end <= this.#next) continue;
      this.#batches.push(batch);
      this.#next = end;
    }
  }

  /**
   * The next records, at least one if there is any.
   *
   * @throws {MarketDataError} `STORE_DAMAGED`
   */
  take({ maxRecords, maxBytes }: ReadLimits): readonly LogRecord[] {
    const taken: LogRecord[] = [];
    let bytes = 0;
    for (let record = this.#first(); record !== undefined && taken.length < maxRecords; record = this.#first()) {
      bytes += record.key.length + record.value.byteLength;
      if (bytes > maxBytes && taken.length > 0) break;
      taken.push(record);
      this.#taken += 1;
    }
    return taken;
  }

  #first(): LogRecord | undefined {
    while (this.#taken === this.#records.length) {
      const batch = this.#batches.shift();
      if (batch === undefined) return undefined;
      const records = decodeBatch(batch, this.#of);
      // A batch is fetched whole, also when it begins before what was asked for.
      this.#records = records.filter(({ offset }) => offset >= this.#from);
      this.#taken = 0;
    }
    return this.#records[this.#taken];
  }
}
