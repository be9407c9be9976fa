import type { EventLog, LogRecord, OffsetRange, TopicPartition } from '@aipx/event-log';
import { readingLog } from './log-reading.js';

/** Walks over the records of a range. Looking is free; only `fill` waits. */
export class LogCursor implements AsyncDisposable {
  readonly #batches: AsyncIterator<readonly LogRecord[]>;
  #records: readonly LogRecord[] = [];
  #at = 0;
  #ended = false;

  constructor(log: EventLog, partition: TopicPartition, range: OffsetRange, signal: AbortSignal) {
    this.#batches = readingLog(log, partition, range, signal);
  }

  get needsFill(): boolean {
    return this.#at === this.#records.length && !this.#ended;
  }

  /** `undefined` at the end. */
  get head(): LogRecord | undefined {
    return this.#records[this.#at];
  }

  take(): void {
    this.#at += 1;
  }

  async fill(): Promise<void> {
    const { done, value } = await this.#batches.next();
    this.#ended = done === true;
    this.#records = done ? [] : value;
    this.#at = 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#batches.return?.();
  }
}
