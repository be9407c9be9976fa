import { asMarketDataError, MarketDataError } from '@aipx/market-model';
import type { EventLog } from '@aipx/event-log';
import type { Outage, Outages } from '../outages.js';
import type { DeadLetters } from '../dead-letters.js';
import { hotBatch, letterFor, undecodable } from './hot-batch.js';
import type { HotStep } from './hot-protocol.js';
import type { HotCommit, HotStore, RefusedRow } from './hot-store.js';
import type { PartitionQueue, QueueHead } from './partition-queue.js';

export interface WrittenBatch {
  /** The heads that are stored. One that was revoked meanwhile is among them when its commit was on its way by then. */
  readonly heads: readonly QueueHead[];
  readonly commit: HotCommit;
}

export interface BatchWriterParts {
  readonly log: EventLog;
  readonly store: HotStore;
  readonly outages: Outages;
  readonly deadLetters: DeadLetters;
}

/** One call of the store or of the log that is on its way, with the heads it is about. */
interface Attempt {
  readonly heads: readonly QueueHead[];
  readonly ended: Promise<unknown>;
  readonly cancel: AbortController;
}

/** One batch on its way into the store: waits outages out and settles a commit of unknown outcome. */
export class BatchWrite {
  readonly #parts: BatchWriterParts;
  #heads: readonly QueueHead[];
  /** A commit of unknown outcome. */
  #doubtful: WrittenBatch | undefined;
  #attempt: Attempt | undefined;
  #revocation = new AbortController();

  constructor(parts: BatchWriterParts, heads: readonly QueueHead[]) {
    this.#parts = parts;
    this.#heads = heads;
  }

  /**
   * Stores the heads that are not revoked meanwhile. `undefined` when none is left to store.
   *
   * @throws {MarketDataError} `STORE_POSITION_MOVED` when another writer was there
   */
  async run(signal: AbortSignal): Promise<WrittenBatch | undefined> {
    const outage = this.#parts.outages.begin();
    try {
      for (;;) {
        this.#heads = this.#heads.filter(({ queue }) => !queue.revoked);
        if (this.#heads.length === 0) return undefined;
        try {
          const written = await this.#step();
          if (written !== undefined) return written;
        } catch (cause) {
          signal.throwIfAborted();
          // What was revoked meanwhile may be what failed; the rest is tried without it.
          if (this.#heads.some(({ queue }) => queue.revoked)) continue;
          const error = asMarketDataError(cause, 'STORE_UNAVAILABLE');
          if (!error.retryable || error.code === 'STORE_POSITION_MOVED') {
            stepAll(this.#heads, 'fenced');
            throw cause;
          }
          stepAll(this.#heads, 'failed');
          await this.#waitAfter(error, outage, signal);
        }
      }
    } finally {
      outage.end();
    }
  }

  /**
   * Waits until nothing of a revoked queue is on its way any more.
   *
   * @param graceMs after which the attempt is cut off; whether it landed is then the positions' business
   */
  async revoked(queue: PartitionQueue, graceMs: number): Promise<void> {
    this.#revocation.abort();
    const attempt = this.#attempt;
    if (!attempt?.heads.some((head) => head.queue === queue)) return;
    const timer = setTimeout(() => {
      attempt.cancel.abort();
    }, graceMs);
    await attempt.ended.catch(() => undefined);
    clearTimeout(timer);
  }

  /** Returns the batch once it is certainly stored. */
  async #step(): Promise<WrittenBatch | undefined> {
    if (this.#doubtful === undefined) {
      const heads = this.#heads;
      const batch = { heads, commit: await this.#commit() };
      if (batch.commit.doubt === undefined) return stored(batch, 'stored');
      stepAll(heads, 'unknown');
      this.#doubtful = batch;
      return undefined;
    }
    const landed = await this.#landed();
    const batch = this.#doubtful;
    this.#doubtful = undefined;
    if (landed) return stored(batch, 'landed');
    stepAll(batch.heads, 'absent');
    throw batch.commit.doubt;
  }

  /** Dead letters go out once the positions are known to be ours: who comes late with the same records writes none. */
  async #commit(): Promise<HotCommit> {
    const { log, store, deadLetters } = this.#parts;
    const heads = this.#heads;
    return this.#try((signal) => {
      const bury = (refused: readonly RefusedRow[]) =>
        deadLetters.send([...heads.flatMap(undecodable), ...refused.map(letterFor)], signal);
      return store.commit(hotBatch(log.id, heads), bury, signal);
    });
  }

  /** Whether a commit of unknown outcome is in the store: its positions moved, all of them or none. */
  async #landed(): Promise<boolean> {
    const { log, store } = this.#parts;
    const heads = this.#heads;
    const partitions = heads.map(({ move }) => move);
    const positions = await this.#try((signal) => store.readPositions(partitions, signal));
    const at = (end: 'from' | 'to') =>
      heads.every(({ move }, index) => {
        const position = positions[index];
        return position?.logId === log.id && position.nextOffset === move[end];
      });
    if (at('to')) return true;
    if (at('from')) return false;
    const names = partitions.map(({ topic, partition }) => `${topic}/${partition}`).join(', ');
    throw new MarketDataError('STORE_POSITION_MOVED', `another writer moved the position of ${names}`, {
      retryable: true,
    });
  }

  async #try<Result>(action: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
    const cancel = new AbortController();
    const ended = action(cancel.signal);
    this.#attempt = { heads: this.#heads, ended, cancel };
    try {
      return await ended;
    } finally {
      this.#attempt = undefined;
    }
  }

  /** A revocation ends the wait: what is left of the batch may be nothing. */
  async #waitAfter(error: MarketDataError, outage: Outage, signal: AbortSignal): Promise<void> {
    this.#revocation = new AbortController();
    await outage.failed(error, AbortSignal.any([signal, this.#revocation.signal])).catch(() => {
      signal.throwIfAborted();
    });
  }
}

function stored(batch: WrittenBatch, step: 'stored' | 'landed'): WrittenBatch {
  stepAll(batch.heads, step);
  for (const head of batch.heads) head.queue.drop(head);
  return batch;
}

function stepAll(heads: readonly QueueHead[], step: HotStep): void {
  for (const { queue } of heads) queue.step(step);
}
