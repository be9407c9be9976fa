import type { CommittedOffset, EventLog, LogRecord, OffsetRange, TopicPartition } from '@aipx/event-log';
import { MarketDataError, type Nanoseconds } from '@aipx/market-model';
import { Condition } from '../condition.js';
import { Outages } from '../outages.js';
import { readRecord } from '../read-record.js';
import type { Recorder, RecorderStatus } from '../recorder.js';
import type { WrittenBatch } from './batch-write.js';
import { BatchWriter } from './batch-writer.js';
import { cutBatch } from './cut-batch.js';
import { HotCounter, type HotCounts } from './hot-counts.js';
import type { HotStore } from './hot-store.js';
import { assertSameLog } from './hot-log.js';
import { PartitionQueue } from './partition-queue.js';

export interface HotRecorderOptions {
  readonly log: EventLog;
  readonly store: HotStore;
  /** Ends every wait of the recorder, outages included. */
  readonly signal: AbortSignal;
  /** Rows that make a batch; what arrives while one is being stored makes a larger one. @default 1000 */
  readonly batchSize?: number;
  /** How long a row waits for its batch to fill, in ms, up to 2^31 - 1. @default 5000 */
  readonly batchTimeoutMs?: number;
  /** Batches stored side by side, each of partitions of its own. The store needs a connection for each. @default 2 */
  readonly writers?: number;
  /** Rows that may wait before no more are taken; what one call hands over comes on top. @default 5000 */
  readonly maxBufferedRecords?: number;
  /** Memory that records and their events may take before no more are taken, bytes, likewise. @default 32 MiB */
  readonly maxBufferedBytes?: number;
  /** Called with each failure that is waited out. */
  readonly onFault?: (fault: MarketDataError) => void;
  /** Called after each commit with the rows, and the milliseconds that it took. */
  readonly onCommit?: (rows: number, millis: number) => void;
}

/** Rows that a batch has at most, unless `batchSize` asks for more: it must be stored well within a statement's time. */
const LARGEST_BATCH = 10_000;
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
  readonly #outages: Outages;
  readonly #writer: BatchWriter;
  readonly #counter = new HotCounter();
  readonly #queues = new Map<string, PartitionQueue>();
  readonly #changed = new Condition();
  #failure = new AbortController();
  #stop: AbortSignal;
  #writing = 0;
  #timer: NodeJS.Timeout | undefined;
  /** How many callers cannot wait for a batch to fill: flushes, a full buffer, a batch that is old enough. */
  #urgent = 0;
  #pauses = 0;

  constructor(options: HotRecorderOptions) {
    this.#options = {
      batchSize: 1000,
      batchTimeoutMs: 5000,
      writers: 2,
      maxBufferedRecords: 5000,
      maxBufferedBytes: 32 * 1024 * 1024,
      onFault: () => undefined,
      onCommit: () => undefined,
      ...options,
    };
    const { batchSize, batchTimeoutMs, writers, maxBufferedRecords, maxBufferedBytes } = this.#options;
    assertWithin({ batchSize, writers, maxBufferedRecords, maxBufferedBytes }, 1, Number.MAX_SAFE_INTEGER);
    assertWithin({ batchTimeoutMs }, 0, LONGEST_TIMER_MS);
    this.#outages = new Outages(this.#options.onFault);
    this.#writer = new BatchWriter(options.log, options.store, this.#outages);
    this.#stop = AbortSignal.any([options.signal, this.#failure.signal]);
  }

  get counts(): HotCounts {
    return this.#counter.counts;
  }

  get status(): RecorderStatus {
    const queues = [...this.#queues.values()];
    const times = queues.map(({ waitingSince }) => waitingSince).filter((time) => time !== undefined);
    return {
      bufferedRecords: sumOf(queues, 'length'),
      bufferedBytes: sumOf(queues, 'bytes'),
      waitingSince: times.reduce<Nanoseconds | undefined>(
        (oldest, time) => (oldest === undefined || time < oldest ? time : oldest),
        undefined,
      ),
      newestStored: this.#counter.newest,
      fault: this.#outages.fault,
      pauses: this.#pauses,
    };
  }

  /** Aborts when a batch fails for good outside of a call; its reason is the error. A new one once all is revoked. */
  get failure(): AbortSignal {
    return this.#failure.signal;
  }

  storedTo(partition: TopicPartition): bigint | undefined {
    return this.#queues.get(keyOf(partition))?.storedTo;
  }

  /** A courtesy for tools that show a group's lag; never read back. */
  position(partition: TopicPartition): CommittedOffset | undefined {
    const offset = this.storedTo(partition);
    return offset === undefined ? undefined : { offset, metadata: '' };
  }

  async onAssigned(
    partition: TopicPartition,
    range: OffsetRange,
    _committed?: CommittedOffset,
    signal: AbortSignal = this.#options.signal,
  ): Promise<bigint> {
    const { log, store } = this.#options;
    const stop = AbortSignal.any([signal, this.#stop]);
    const position = await this.#outages.waitOut(() => store.openPosition(partition, log.id, range.begin, stop), stop);
    await this.#outages.waitOut(() => assertSameLog(log, partition, position, stop), stop);
    const queue = new PartitionQueue(partition, position.nextOffset);
    this.#queues.get(keyOf(partition))?.revoke();
    if (range.begin > position.nextOffset) {
      queue.addRetentionGap(range.begin, await this.#firstTime(partition, range.begin, stop));
    }
    this.#queues.set(keyOf(partition), queue);
    this.#counter.assigned(partition, position.nextOffset, range);
    this.#schedule();
    return queue.queuedTo;
  }

  async onRecords(
    partition: TopicPartition,
    records: readonly LogRecord[],
    signal: AbortSignal = this.#options.signal,
  ): Promise<void> {
    this.#failure.signal.throwIfAborted();
    const queue = this.#queues.get(keyOf(partition));
    if (queue === undefined) {
      throw new Error(`${keyOf(partition)} was handed over without having been assigned`);
    }
    if (this.#isFull()) this.#pauses += 1;
    // Nothing comes between the last look and the taking, however many partitions wait for the same room.
    await this.#urgently(
      () => this.#isFull() && !queue.revoked,
      signal,
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
    await this.#urgently(this.#isPending(), signal);
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
      const stop = AbortSignal.any([signal, this.#stop]);
      this.#urgent += 1;
      this.#schedule();
      try {
        while (condition()) await this.#changed.wait(stop);
      } finally {
        this.#urgent -= 1;
      }
    }
    then();
  }

  /** Starts what is due, or sees to it that it starts in time. */
  #schedule(): void {
    while (this.#isDue()) void this.#writeBatch();
    if (this.#idleRows === 0) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
    } else if (!this.#stop.aborted) {
      this.#timer ??= setTimeout(() => void this.#writeOld(), this.#options.batchTimeoutMs);
    }
  }

  async #writeOld(): Promise<void> {
    this.#timer = undefined;
    // Its failure is the work's, which reports it.
    await this.#urgently(this.#isPending(), this.#options.signal).catch(() => undefined);
  }

  /** Begins before it returns, so that what it takes is no longer idle. */
  async #writeBatch(): Promise<void> {
    const stop = this.#stop;
    const failure = this.#failure;
    const heads = cutBatch(this.#queues.values(), this.#rowsOfABatch());
    this.#writing += 1;
    const begun = performance.now();
    try {
      const written = await this.#writer.write(heads, stop);
      if (written !== undefined) this.#written(written, performance.now() - begun);
    } catch (error) {
      // With nothing assigned any more, it belongs to the past.
      if (!this.#options.signal.aborted && this.#queues.size > 0) failure.abort(error);
    } finally {
      this.#writing -= 1;
      this.#changed.notifyAll();
    }
    this.#schedule();
  }

  #written({ heads, commit }: WrittenBatch, millis: number): void {
    this.#counter.stored(heads, commit);
    const rows = heads.reduce((sum, { items }) => sum + items.length, 0);
    this.#options.onCommit(rows, millis);
  }

  /** What is idle is shared out evenly among the writers that are free, but not in batches that are too small. */
  #rowsOfABatch(): number {
    const { batchSize, writers } = this.#options;
    const share = Math.ceil(this.#idleRows / (writers - this.#writing));
    return Math.max(batchSize, Math.min(share, LARGEST_BATCH));
  }

  /** Asks whether anything of what waits now still does. */
  #isPending(): () => boolean {
    const marks = [...this.#queues.values()].map((queue) => ({ queue, end: queue.queuedTo }));
    return () => marks.some(({ queue, end }) => !queue.revoked && queue.storedTo < end);
  }

  #isDue(): boolean {
    if (this.#stop.aborted || this.#writing >= this.#options.writers) return false;
    const rows = this.#idleRows;
    return rows > 0 && (this.#urgent > 0 || rows >= this.#options.batchSize);
  }

  #isFull(): boolean {
    const { maxBufferedRecords, maxBufferedBytes } = this.#options;
    const queues = [...this.#queues.values()];
    return sumOf(queues, 'length') >= maxBufferedRecords || sumOf(queues, 'bytes') >= maxBufferedBytes;
  }

  /** Rows of the partitions that nobody is writing. */
  get #idleRows(): number {
    return sumOf(
      [...this.#queues.values()].filter(({ state }) => state === 'waiting'),
      'length',
    );
  }

  /** When the log took the first record that it still has; now, when it has none. */
  async #firstTime(partition: TopicPartition, begin: bigint, stop: AbortSignal): Promise<Nanoseconds> {
    const first = await this.#outages.waitOut(() => readRecord(this.#options.log, partition, begin, stop), stop);
    return first?.appendedAt ?? BigInt(Date.now()) * 1_000_000n;
  }
}

function keyOf({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`;
}

function sumOf(queues: readonly PartitionQueue[], what: 'length' | 'bytes'): number {
  return queues.reduce((sum, queue) => sum + queue[what], 0);
}

function assertWithin(values: Readonly<Record<string, number>>, least: number, most: number): void {
  for (const [name, value] of Object.entries(values)) {
    if (value >= least && value <= most) continue;
    throw new MarketDataError('CONFIG_INVALID', `${name} is ${value}; it must be from ${least} to ${most}`);
  }
}
