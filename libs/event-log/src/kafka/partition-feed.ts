import type { MarketDataError } from '@aipx/market-model';
import type { PartitionHandler, ReadLimits, TopicPartition } from '../event-log.js';
import type { ReadTurns } from '../read-turns.js';
import type { Slots } from '../slots.js';
import { FetchedRecords } from './fetched-records.js';

export interface FeedOptions {
  readonly handler: PartitionHandler;
  readonly limits: ReadLimits;
  readonly turns: ReadTurns;
  /** How many handlers run at the same time. */
  readonly slots: Slots;
  /** Called when it wants to be fetched for again. */
  readonly onHungry: () => void;
}

/**
 * One partition on its way from the fetches to the handler. It holds what one fetch brought and asks for more when that
 * is taken: while the handler has the last of it, the next is on its way.
 */
export class PartitionFeed {
  readonly partition: TopicPartition;
  readonly #options: FeedOptions;
  readonly #fetched: FetchedRecords;
  #arrived = Promise.withResolvers<undefined>();
  #lost: MarketDataError | undefined;

  constructor(partition: TopicPartition, begin: bigint, options: FeedOptions) {
    this.partition = partition;
    this.#fetched = new FetchedRecords(partition, begin);
    this.#options = options;
  }

  get isHungry(): boolean {
    return this.#fetched.isEmpty && this.#lost === undefined;
  }

  /** The offset to fetch from. */
  get next(): bigint {
    return this.#fetched.next;
  }

  /** @throws {MarketDataError} `STORE_DAMAGED` for bytes that are no batch */
  add(bytes: Buffer): void {
    this.#fetched.add(bytes);
    this.#wake();
  }

  /** The log has nothing at this place any more, so what is buffered is worth nothing either. */
  lose(why: MarketDataError): void {
    this.#lost = why;
    this.#wake();
  }

  /**
   * Gives the handler one call at a time until `over` aborts; rejects with what it throws. Resolves with the reason
   * when the place was lost before.
   */
  async run(over: AbortSignal): Promise<MarketDataError | undefined> {
    const { slots } = this.#options;
    const wake = () => this.#wake();
    over.addEventListener('abort', wake, { once: true });
    try {
      while (!over.aborted && this.#lost === undefined) {
        if (this.#fetched.isEmpty) await this.#arrived.promise;
        else await slots.use(() => this.#handOver(over));
      }
      return this.#lost;
    } finally {
      over.removeEventListener('abort', wake);
    }
  }

  async #handOver(over: AbortSignal): Promise<void> {
    const { handler, limits, onHungry, turns } = this.#options;
    await turns.take();
    if (over.aborted || this.#lost !== undefined) return;
    const records = this.#fetched.take(limits);
    if (this.isHungry) onHungry();
    if (records.length > 0) await handler.onRecords(this.partition, records);
  }

  #wake(): void {
    this.#arrived.resolve(undefined);
    this.#arrived = Promise.withResolvers();
  }
}
