import type { PartitionHandler, ReadLimits, TopicPartition } from '../event-log.js';
import type { ReadTurns } from '../read-turns.js';
import { FetchedRecords } from './fetched-records.js';

/**
 * One partition on its way from the fetches to the handler. It holds what one fetch brought and asks for more when that
 * is taken: while the handler has the last of it, the next is on its way.
 */
export class PartitionFeed {
  readonly partition: TopicPartition;
  readonly #fetched: FetchedRecords;
  /** Called when it wants to be fetched for again. */
  readonly #onHungry: () => void;
  #arrived = Promise.withResolvers<undefined>();

  constructor(partition: TopicPartition, begin: bigint, onHungry: () => void) {
    this.partition = partition;
    this.#fetched = new FetchedRecords(partition, begin);
    this.#onHungry = onHungry;
  }

  get isHungry(): boolean {
    return this.#fetched.isEmpty;
  }

  /** The offset to fetch from. */
  get next(): bigint {
    return this.#fetched.next;
  }

  add(bytes: Buffer): void {
    this.#fetched.add(bytes);
    this.#wake();
  }

  /** Gives the handler one call at a time until `over` aborts; rejects with what it throws. */
  async run(handler: PartitionHandler, limits: ReadLimits, turns: ReadTurns, over: AbortSignal): Promise<void> {
    const wake = () => this.#wake();
    over.addEventListener('abort', wake, { once: true });
    try {
      while (!over.aborted) {
        await turns.take();
        if (over.aborted) return;
        const records = this.#fetched.take(limits);
        if (this.isHungry) this.#onHungry();
        if (records.length > 0) await handler.onRecords(this.partition, records);
        else await this.#arrived.promise;
      }
    } finally {
      over.removeEventListener('abort', wake);
    }
  }

  #wake(): void {
    this.#arrived.resolve(undefined);
    this.#arrived = Promise.withResolvers();
  }
}
