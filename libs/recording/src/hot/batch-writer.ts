import type { EventLog } from '@aipx/event-log';
import type { Outages } from '../outages.js';
import { BatchWrite, type BatchWriterParts, type WrittenBatch } from './batch-write.js';
import { DeadLetters } from '../dead-letters.js';
import type { HotStore } from './hot-store.js';
import type { PartitionQueue, QueueHead } from './partition-queue.js';

/** Brings batches into the store, side by side as long as each has partitions of its own. */
export class BatchWriter {
  readonly #parts: BatchWriterParts;
  readonly #deadLetters: DeadLetters;
  readonly #writes = new Set<BatchWrite>();

  constructor(log: EventLog, store: HotStore, outages: Outages) {
    this.#deadLetters = new DeadLetters(log);
    this.#parts = { log, store, outages, deadLetters: this.#deadLetters };
  }

  /**
   * Stores the heads that are not revoked meanwhile. `undefined` when none is left to store.
   *
   * @throws {MarketDataError} `STORE_POSITION_MOVED` when another writer was there
   */
  async write(heads: readonly QueueHead[], signal: AbortSignal): Promise<WrittenBatch | undefined> {
    const write = new BatchWrite(this.#parts, heads);
    this.#writes.add(write);
    try {
      const written = await write.run(signal);
      for (const { move } of written?.heads ?? []) this.#deadLetters.stored(move);
      return written;
    } finally {
      this.#writes.delete(write);
    }
  }

  /**
   * Waits until nothing of a revoked queue is on its way any more.
   *
   * @param graceMs after which the attempt is cut off; whether it landed is then the positions' business
   */
  async revoked(queue: PartitionQueue, graceMs: number): Promise<void> {
    await Promise.all([...this.#writes].map((write) => write.revoked(queue, graceMs)));
  }
}
