import { setTimeout as sleep } from 'node:timers/promises';
import type { EventLog, LogEntry } from '@aipx/event-log';
import { asMarketDataError, type MarketDataError, type MarketEvent } from '@aipx/market-model';
import { entriesOf, type FrameUnit } from './frame-unit.js';
import { VenueTotals, zeroPublishCounts, type Publisher, type PublisherStatus } from './publisher.js';

export interface PublisherOptions {
  readonly log: EventLog;
  /** Frames and bytes that may wait. At either, the sources are paused; at half of both, they go on. */
  readonly maxWaitingFrames: number;
  readonly maxWaitingBytes: number;
  /** Frames in one append; fewer when they carry more than `MOST_BATCH_RECORDS` or `MOST_BATCH_BYTES`. */
  readonly maxBatchFrames: number;
  /** How long, ms, a first frame waits for company. */
  readonly lingerMs: number;
  /** Called when reading must pause, and when it may go on. */
  readonly onPressure: (pause: boolean) => void;
  /** An append failed and will be tried again, unchanged. */
  readonly onFault: (error: MarketDataError) => void;
}

/** Well below what a log takes at once; a single frame beyond them goes alone. */
const MOST_BATCH_RECORDS = 10_000;
const MOST_BATCH_BYTES = 8 * 1024 * 1024;
const RETRY_FLOOR_MS = 50;
const RETRY_CAP_MS = 2_000;

/**
 * Takes frames to the log in the order they came. Nothing is ever let go: when the log is slow, the sources are paused;
 * when it fails for a time, the same batch is tried again until it is in.
 */
export class FramePublisher implements Publisher {
  readonly #counts = zeroPublishCounts();
  readonly #totals = new VenueTotals();
  readonly #options: PublisherOptions;
  #waiting: FrameUnit[] = [];
  #taken = 0;
  #waitingBytes = 0;
  #consecutiveErrors = 0;
  #paused = false;
  #ended = false;
  #wake: (() => void) | undefined;

  constructor(options: PublisherOptions) {
    this.#options = options;
  }

  get status(): PublisherStatus {
    return {
      counts: this.#counts,
      venues: this.#totals.venues,
      waiting: this.#depth,
      waitingBytes: this.#waitingBytes,
      consecutiveErrors: this.#consecutiveErrors,
      unansweredMs: 0, // an embedded log answers or fails
      lastLossAt: undefined,
      lostAtEnd: 0,
      spill: undefined,
    };
  }

  get #depth(): number {
    return this.#waiting.length - this.#taken;
  }

  offer(unit: FrameUnit): void {
    this.#waiting.push(unit);
    this.#waitingBytes += unit.bytes;
    if (!this.#paused && this.#isFull()) this.#setPaused(true);
    this.#wake?.();
  }

  hasKeptAllOf(): boolean {
    return this.#depth === 0;
  }

  hasSentAllOf(): boolean {
    return this.#depth === 0;
  }

  /** Nothing more will be offered: `run` resolves when all that waits is in the log. */
  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  /**
   * Publishes until `end()` and everything is in, or until `signal` aborts, which leaves what waits unpublished.
   *
   * @throws {MarketDataError} what the log says that trying again cannot mend
   */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      if (this.#depth === 0) {
        if (this.#ended) return;
        await this.#somethingToDo(signal);
        continue;
      }
      if (this.#depth < this.#options.maxBatchFrames && !this.#ended) await this.#linger(signal);
      const batch = this.#nextBatch();
      await this.#append(batch, signal);
      if (signal.aborted) return;
      this.#done(batch);
    }
  }

  /** The longest run of frames of one source within the bounds: an append moves one source's position. */
  #nextBatch(): readonly FrameUnit[] {
    const batch: FrameUnit[] = [];
    const room = { records: MOST_BATCH_RECORDS, bytes: MOST_BATCH_BYTES };
    for (let at = this.#taken; batch.length < this.#options.maxBatchFrames; at += 1) {
      const unit = this.#waiting[at];
      if (unit === undefined || unit.progress?.source !== (batch[0] ?? unit).progress?.source) break;
      room.records -= unit.events.length + unit.deadLetters.length;
      room.bytes -= unit.bytes;
      if (batch.length > 0 && (room.records < 0 || room.bytes < 0)) break;
      batch.push(unit);
    }
    return batch;
  }

  async #append(batch: readonly FrameUnit[], signal: AbortSignal): Promise<void> {
    const entries: LogEntry[] = batch.flatMap(entriesOf);
    const progress = batch.at(-1)?.progress;
    for (let wait = RETRY_FLOOR_MS; !signal.aborted; wait = Math.min(wait * 2, RETRY_CAP_MS)) {
      try {
        await this.#options.log.append(entries, progress === undefined ? {} : { progress });
        this.#consecutiveErrors = 0;
        return;
      } catch (cause) {
        const error = asMarketDataError(cause, 'PUBLISH_FAILED');
        this.#consecutiveErrors += 1;
        if (!error.retryable) throw error;
        this.#options.onFault(error);
        await sleep(wait, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  #done(batch: readonly FrameUnit[]): void {
    for (const unit of batch) {
      this.#waitingBytes -= unit.bytes;
      this.#counts.deadLetters += unit.deadLetters.length;
      for (const event of unit.events) this.#count(event);
    }
    this.#taken += batch.length;
    if (this.#taken * 2 >= this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#taken);
      this.#taken = 0;
    }
    if (this.#paused && this.#hasRoom()) this.#setPaused(false);
  }

  #count(event: MarketEvent): void {
    if (event.kind !== 'gap') {
      this.#counts.published += 1;
      this.#totals.of(event.exchange).published[event.kind] += 1;
      return;
    }
    this.#counts.gaps += 1;
    this.#totals.addGap(event);
  }

  #isFull(): boolean {
    return this.#depth >= this.#options.maxWaitingFrames || this.#waitingBytes >= this.#options.maxWaitingBytes;
  }

  #hasRoom(): boolean {
    return this.#depth * 2 <= this.#options.maxWaitingFrames && this.#waitingBytes * 2 <= this.#options.maxWaitingBytes;
  }

  #setPaused(paused: boolean): void {
    this.#paused = paused;
    this.#options.onPressure(paused);
  }

  async #linger(signal: AbortSignal): Promise<void> {
    await sleep(this.#options.lingerMs, undefined, { signal }).catch(() => undefined);
  }

  #somethingToDo(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        signal.removeEventListener('abort', done);
        this.#wake = undefined;
        resolve();
      };
      this.#wake = done;
      signal.addEventListener('abort', done, { once: true });
    });
  }
}
