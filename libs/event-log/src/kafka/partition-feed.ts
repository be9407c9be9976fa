import type { MarketDataError } from '@aipx/market-model';
import type { PartitionHandler, ReadLimits, TopicPartition } from '../event-log.js';
import type { ReadTurns } from '../read-turns.js';
import type { Slots } from '../slots.js';
import { FetchedRecords } from './fetched-records.js';
import type { FetchedPartition } from './wire/fetch.js';

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
  /** Its reason is why the place was lost. */
  readonly #lost = new AbortController();

  constructor(partition: TopicPartition, begin: bigint, options: FeedOptions) {
    this.partition = partition;
    this.#fetched = new FetchedRecords(partition, begin);
    this.#options = options;
  }

  get isHungry(): boolean {
    return this.#fetched.isEmpty && !this.#lost.signal.aborted;
  }

  /** The offset to fetch from. */
  get next(): bigint {
    return this.#fetched.next;
  }

  /** @throws {MarketDataError} `STORE_DAMAGED` for bytes that are no batch */
  add(fetched: Pick<FetchedPartition, 'bytes' | 'aborted'>): void {
    this.#fetched.add(fetched);
    this.#wake();
  }

  /** The log has nothing at this place any more, so what is buffered is worth nothing either. */
  lose(why: MarketDataError): void {
    this.#lost.abort(why);
  }

  /**
   * Gives the handler one call at a time until `ended` aborts; rejects with what it throws. Resolves with the reason
   * when the place was lost before.
   */
  async run(ended: AbortSignal): Promise<MarketDataError | undefined> {
    const { slots } = this.#options;
    const lost = this.#lost.signal;
    const over = AbortSignal.any([ended, lost]);
    over.addEventListener('abort', () => this.#wake(), { once: true });
    while (!over.aborted) {
      if (this.#fetched.isEmpty) await this.#arrived.promise;
      else await slots.use(() => this.#handOver(over, ended));
    }
    return lost.aborted ? (lost.reason as MarketDataError) : undefined;
  }

  async #handOver(over: AbortSignal, ended: AbortSignal): Promise<void> {
    const { handler, limits, onHungry, turns } = this.#options;
    await turns.take();
    if (over.aborted) return;
    const records = this.#fetched.take(limits);
    if (this.isHungry) onHungry();
    if (records.length === 0) return;
    // Nobody waits for a place that was lost, and nobody else has these records any more: this call may end as it will.
    await handler.onRecords(this.partition, records, ended).catch((cause: unknown) => {
      if (!ended.aborted || cause !== ended.reason) throw cause;
    });
  }

  #wake(): void {
    this.#arrived.resolve(undefined);
    this.#arrived = Promise.withResolvers();
  }
}
