import type { EventLog, LogRecord, OffsetRange, TopicPartition } from '@aipx/event-log';
import { asMarketDataError, MarketDataError, type Nanoseconds } from '@aipx/market-model';
import { backOff } from '../backoff.js';
import { Condition } from '../condition.js';
import type { Recorder } from '../recorder.js';
import { BatchWriter } from './batch-writer.js';
import { HotCounter, type HotCounts } from './hot-counts.js';
import type { HotStore } from './hot-store.js';
import { PartitionQueue, type QueueHead } from './partition-queue.js';
import { assertSameLog } from './same-log.js';

export interface HotRecorderOptions {
  readonly log: EventLog;
  readonly store: HotStore;
  /** Ends every wait of the recorder, outages included. */
  readonly signal: AbortSignal;
  /** Rows that make a batch; what arrives while one is being stored makes a larger one. @default 1000 */
  readonly batchSize?: number;
  /** How long a row waits for its batch to fill, in ms, up to 2^31 - 1. @default 5000 */
  readonly batchTimeoutMs?: number;
  /** Rows that may wait before no more are taken; what one call hands over comes on top. @default 5000 */
  readonly maxBufferedRecords?: number;
  /** Encoded bytes that may wait before no more are taken, likewise. @default 16 MiB */
  readonly maxBufferedBytes?: number;
  /** Called with each failure that is waited out. */
  readonly onFault?: (fault: MarketDataError) => void;
  /** Called after each commit with the rows, and the milliseconds that it took. */
  readonly onCommit?: (rows: number, millis: number) => void;
}

/** Least time that a commit under way gets when its partition is revoked, in ms. */
const REVOKE_GRACE_MS = 5_000;
/** Node's timers fire at once when they are set to more. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * Records the log to the hot store, exactly once: rows and position move in one transaction. Records of all partitions
 * share a batch. What waits for its batch is bounded: beyond that, `onRecords` does not return.
 */
export class HotRecorder implements Recorder {
  readonly name = 'hot';
  readonly #options: Required<HotRecorderOptions>;
  readonly #writer: BatchWriter;
  readonly #counter = new HotCounter();
  readonly #queues = new Map<string, PartitionQueue>();
  readonly #changed = new Condition();
  #failure = new AbortController();
  #stop: AbortSignal;
  #working = false;
  #timer: NodeJS.Timeout | undefined;
  /** How many callers cannot wait for a batch to fill: flushes, a full buffer, a batch that is old enough. */
  #urgent = 0;

  constructor(options: HotRecorderOptions) {
    this.#options = {
      batchSize: 1000,
      batchTimeoutMs: 5000,
      maxBufferedRecords: 5000,
      maxBufferedBytes: 16 * 1024 * 1024,
      onFault: () => undefined,
      onCommit: () => undefined,
      ...options,
    };
    const { batchTimeoutMs } = this.#options;
    if (!(batchTimeoutMs >= 0 && batchTimeoutMs <= LONGEST_TIMER_MS)) {
      throw new MarketDataError(
        'CONFIG_INVALID',
        `batchTimeoutMs is ${batchTimeoutMs}; it must be from 0 to ${LONGEST_TIMER_MS} ms`,
      );
    }
    this.#writer = new BatchWriter(options.log, options.store, this.#options.onFault);
    this.#stop = AbortSignal.any([options.signal, this.#failure.signal]);
  }

  get counts(): HotCounts {
    return this.#counter.counts;
  }

  /** Aborts when a batch fails for good outside of a call; its reason is the error. A new one once all is revoked. */
  get failure(): AbortSignal {
    return this.#failure.signal;
  }

  storedTo(partition: TopicPartition): bigint | undefined {
    return this.#queues.get(keyOf(partition))?.storedTo;
  }

  async onAssigned(partition: TopicPartition, range: OffsetRange): Promise<bigint> {
    const { log, store } = this.#options;
    const position = await this.#waitingOut((signal) => store.openPosition(partition, log.id, range.begin, signal));
    await this.#waitingOut(() => assertSameLog(log, partition, range, position));
    const queue = new PartitionQueue(partition, position.nextOffset);
    this.#queues.get(keyOf(partition))?.revoke();
    if (range.begin > position.nextOffset) {
      queue.addRetentionGap(range.begin, await this.#firstTime(partition, range.begin));
    }
    this.#queues.set(keyOf(partition), queue);
    this.#counter.assigned(partition, position.nextOffset, range);
    this.#schedule();
    return queue.queuedTo;
  }

  async onRecords(partition: TopicPartition, records: readonly LogRecord[]): Promise<void> {
    this.#failure.signal.throwIfAborted();
    const queue = this.#queues.get(keyOf(partition));
    if (queue === undefined) {
      throw new Error(`${keyOf(partition)} was handed over without having been assigned`);
    }
    // Nothing comes between the last look and the taking, however many partitions wait for the same room.
    await this.#urgently(
      () => this.#isFull() && !queue.revoked,
      this.#stop,
      () => {
        queue.add(records);
      },
    );
    this.#schedule();
  }

  async onRevoked(partition: TopicPartition): Promise<void> {
    const queue = this.#queues.get(keyOf(partition));
    if (queue !== undefined) {
      queue.revoke();
      this.#queues.delete(keyOf(partition));
      this.#changed.notifyAll();
      await this.#writer.revoked(queue, REVOKE_GRACE_MS);
    }
    // Also after an assignment that failed.
    if (this.#queues.size === 0) this.#beginAnew();
  }

  async flush(signal: AbortSignal): Promise<void> {
    await this.#urgently(this.#isPending(), AbortSignal.any([signal, this.#stop]));
  }

  /** Nothing is assigned: what has failed belongs to the past. */
  #beginAnew(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (!this.#failure.signal.aborted) return;
    this.#failure = new AbortController();
    this.#stop = AbortSignal.any([this.#options.signal, this.#failure.signal]);
  }

  /** Has batches written without waiting for them to fill, as long as the condition holds; then goes on at once. */
  async #urgently(condition: () => boolean, signal: AbortSignal, then: () => void = () => undefined): Promise<void> {
    if (condition()) {
      this.#urgent += 1;
      this.#schedule();
      try {
        while (condition()) await this.#changed.wait(signal);
      } finally {
        this.#urgent -= 1;
      }
    }
    then();
  }

  /** Starts what is due, or sees to it that it starts in time. */
  #schedule(): void {
    if (this.#working || this.#waiting === 0 || this.#stop.aborted) return;
    if (this.#isDue()) {
      this.#working = true;
      void this.#work();
    } else {
      this.#timer ??= setTimeout(() => void this.#writeOld(), this.#options.batchTimeoutMs);
    }
  }

  async #writeOld(): Promise<void> {
    this.#timer = undefined;
    // Its failure is the work's, which reports it.
    await this.#urgently(this.#isPending(), this.#stop).catch(() => undefined);
  }

  async #work(): Promise<void> {
    const stop = this.#stop;
    const failure = this.#failure;
    try {
      while (this.#isDue() && !stop.aborted) await this.#writeBatch(stop);
    } catch (error) {
      // With nothing assigned any more, it belongs to the past.
      if (!this.#options.signal.aborted && this.#queues.size > 0) failure.abort(error);
    } finally {
      this.#working = false;
      this.#changed.notifyAll();
    }
    this.#schedule();
  }

  async #writeBatch(signal: AbortSignal): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const begun = performance.now();
    const heads = [...this.#queues.values()].map((queue) => queue.head()).filter((head) => head !== undefined);
    const written = await this.#writer.write(heads.sort(byPartition), signal);
    if (written === undefined) return;
    for (const head of written.heads) head.queue.drop(head);
    this.#counter.stored(written.heads, written.commit);
    this.#changed.notifyAll();
    const rows = written.heads.reduce((sum, { items }) => sum + items.length, 0);
    this.#options.onCommit(rows, performance.now() - begun);
  }

  /** Asks whether anything of what waits now still does. */
  #isPending(): () => boolean {
    const marks = [...this.#queues.values()].map((queue) => ({ queue, end: queue.queuedTo }));
    return () => marks.some(({ queue, end }) => !queue.revoked && queue.storedTo < end);
  }

  #isDue(): boolean {
    return this.#waiting > 0 && (this.#urgent > 0 || this.#waiting >= this.#options.batchSize);
  }

  #isFull(): boolean {
    const bytes = [...this.#queues.values()].reduce((sum, queue) => sum + queue.bytes, 0);
    return this.#waiting >= this.#options.maxBufferedRecords || bytes >= this.#options.maxBufferedBytes;
  }

  get #waiting(): number {
    return [...this.#queues.values()].reduce((sum, { length }) => sum + length, 0);
  }

  /** Tries until the store or the log answers. */
  async #waitingOut<Result>(action: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
    const signal = this.#stop;
    for (let failures = 0; ; failures += 1) {
      signal.throwIfAborted();
      try {
        return await action(signal);
      } catch (cause) {
        signal.throwIfAborted();
        const error = asMarketDataError(cause, 'STORE_UNAVAILABLE');
        if (!error.retryable) throw cause;
        this.#options.onFault(error);
        await backOff(failures, signal);
      }
    }
  }

  /** When the log took the first record that it still has; now, when it has none. */
  async #firstTime(partition: TopicPartition, begin: bigint): Promise<Nanoseconds> {
    const [first] = await this.#waitingOut(() =>
      this.#options.log.read(partition, begin, { maxRecords: 1, maxBytes: 1 }),
    );
    return first?.appendedAt ?? BigInt(Date.now()) * 1_000_000n;
  }
}

function keyOf({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`;
}

function byPartition(a: QueueHead, b: QueueHead): number {
  if (a.move.topic !== b.move.topic) return a.move.topic < b.move.topic ? -1 : 1;
  return a.move.partition - b.move.partition;
}
