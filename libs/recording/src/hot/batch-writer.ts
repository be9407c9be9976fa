import type { EventLog } from '@aipx/event-log';
import { asMarketDataError, MarketDataError, type Gap, type OrderBook, type Tick } from '@aipx/market-model';
import { backOff } from '../backoff.js';
import { DeadLetters, type DeadRecord } from './dead-letters.js';
import type { HotBatch, HotCommit, HotRow, HotStore, RefusedRow } from './hot-store.js';
import type { PartitionQueue, QueueHead } from './partition-queue.js';

export interface WrittenBatch {
  /** The heads that are stored. One that was revoked meanwhile is among them when its commit was on its way by then. */
  readonly heads: readonly QueueHead[];
  readonly commit: HotCommit;
}

/** One call of the store that is on its way, with the heads it is about. */
interface Attempt {
  readonly heads: readonly QueueHead[];
  readonly ended: Promise<unknown>;
  readonly cancel: AbortController;
}

/** Brings one batch after the other into the store: waits outages out and settles commits of unknown outcome. */
export class BatchWriter {
  readonly #log: EventLog;
  readonly #store: HotStore;
  readonly #onFault: (fault: MarketDataError) => void;
  readonly #deadLetters: DeadLetters;
  #attempt: Attempt | undefined;
  #revocation = new AbortController();

  constructor(log: EventLog, store: HotStore, onFault: (fault: MarketDataError) => void) {
    this.#log = log;
    this.#store = store;
    this.#onFault = onFault;
    this.#deadLetters = new DeadLetters(log);
  }

  /**
   * Stores the heads that are not revoked meanwhile. `undefined` when none is left to store.
   *
   * @throws {MarketDataError} `STORE_POSITION_MOVED` when another writer was there
   */
  async write(heads: readonly QueueHead[], signal: AbortSignal): Promise<WrittenBatch | undefined> {
    let doubtful: WrittenBatch | undefined;
    for (let failures = 0; ; failures += 1) {
      const mine = (doubtful?.heads ?? heads).filter(({ queue }) => !queue.revoked);
      if (mine.length === 0) return undefined;
      try {
        if (doubtful === undefined) {
          const commit = await this.#commit(mine);
          if (commit.doubt === undefined) return this.#written({ heads: mine, commit });
          doubtful = { heads: mine, commit };
        } else {
          if (await this.#landed(mine)) return this.#written(doubtful);
          const { doubt } = doubtful.commit;
          doubtful = undefined;
          throw doubt;
        }
      } catch (cause) {
        signal.throwIfAborted();
        // What was revoked meanwhile may be what failed; the rest is tried without it.
        if (mine.some(({ queue }) => queue.revoked)) continue;
        const error = asMarketDataError(cause, 'STORE_UNAVAILABLE');
        if (!error.retryable || error.code === 'STORE_POSITION_MOVED') throw cause;
        this.#onFault(error);
        await this.#waitAfter(failures, signal);
      }
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

  #written(batch: WrittenBatch): WrittenBatch {
    this.#deadLetters.clear();
    return batch;
  }

  /** Dead letters go out once the positions are known to be ours: who comes late with the same records writes none. */
  async #commit(heads: readonly QueueHead[]): Promise<HotCommit> {
    const bury = (refused: readonly RefusedRow[]) =>
      this.#deadLetters.send([...heads.flatMap(undecodable), ...refused.map(refusedRecord)]);
    return this.#try(heads, (signal) => this.#store.commit(hotBatch(this.#log.id, heads), bury, signal));
  }

  /** Whether a commit of unknown outcome is in the store: its positions moved, all of them or none. */
  async #landed(heads: readonly QueueHead[]): Promise<boolean> {
    const partitions = heads.map(({ move }) => move);
    const positions = await this.#try(heads, (signal) => this.#store.readPositions(partitions, signal));
    const at = (end: 'from' | 'to') =>
      heads.every(({ move }, index) => {
        const position = positions[index];
        return position?.logId === this.#log.id && position.nextOffset === move[end];
      });
    if (at('to')) return true;
    if (at('from')) return false;
    throw new MarketDataError(
      'STORE_POSITION_MOVED',
      `another writer moved the position of ${partitions.map(({ topic, partition }) => `${topic}/${partition}`).join(', ')}`,
      { retryable: true },
    );
  }

  async #try<Result>(heads: readonly QueueHead[], action: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
    const cancel = new AbortController();
    const ended = action(cancel.signal);
    this.#attempt = { heads, ended, cancel };
    try {
      return await ended;
    } finally {
      this.#attempt = undefined;
    }
  }

  /** A revocation ends the wait: what is left of the batch may be nothing. */
  async #waitAfter(failures: number, signal: AbortSignal): Promise<void> {
    this.#revocation = new AbortController();
    await backOff(failures, AbortSignal.any([signal, this.#revocation.signal])).catch(() => {
      signal.throwIfAborted();
    });
  }
}

function hotBatch(logId: string, heads: readonly QueueHead[]): HotBatch {
  const ticks: HotRow<Tick>[] = [];
  const books: HotRow<OrderBook>[] = [];
  const gaps: HotRow<Gap>[] = [];
  for (const { items } of heads) {
    for (const item of items) {
      if (!('row' in item)) continue;
      const { event } = item.row;
      if (event.kind === 'tick') ticks.push(item.row as HotRow<Tick>);
      else if (event.kind === 'orderbook') books.push(item.row as HotRow<OrderBook>);
      else gaps.push(item.row as HotRow<Gap>);
    }
  }
  return { logId, moves: heads.map(({ move }) => move), ticks, books, gaps };
}

function undecodable({ items }: QueueHead): DeadRecord[] {
  return items.flatMap((item) =>
    'row' in item ? [] : [{ record: item.record, reason: item.error.code, message: item.error.message }],
  );
}

/** @throws {MarketDataError} `STORE_REFUSED` for a row of our own, which has no record that could be kept instead */
function refusedRecord({ row, reason, message }: RefusedRow): DeadRecord {
  if (row.record !== undefined) return { record: row.record, reason, message };
  throw new MarketDataError(
    'STORE_REFUSED',
    `the Gap for what retention took of ${row.topic}/${row.partition}: ${message}`,
  );
}
