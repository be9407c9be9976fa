import type { Logger } from '@aipx/service';
import { handled, recordCounts } from './record-counts.js';
import type { SinkName } from './sinks/sink.js';
import type { RecorderServiceStatus } from './status.js';

const EVERY_MS = 60_000;

/** One line a minute and sink at `info`, one a batch, read or stored, at `debug`. */
export class ProgressLog {
  readonly #logger: Logger;
  readonly #status: () => RecorderServiceStatus;
  readonly #read = new Map<SinkName, number>();
  readonly #atLastMinute = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;

  constructor(logger: Logger, status: () => RecorderServiceStatus) {
    this.#logger = logger;
    this.#status = status;
  }

  start(): void {
    this.#timer = setInterval(() => this.#tellMinute(), EVERY_MS).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  batchRead(sink: SinkName, records: number): void {
    const read = (this.#read.get(sink) ?? 0) + records;
    this.#read.set(sink, read);
    this.#logger.debug({ sink, read }, `${sink}: ${read} records read so far`);
  }

  batchStored(name: SinkName, tookMs: number): void {
    for (const [sink, counts] of recordCounts(this.#status().sinks)) {
      if (sink !== name) continue;
      const stored = handled(counts);
      this.#logger.debug({ sink, stored, took_ms: Math.round(tookMs) }, `${sink}: ${stored} records stored so far`);
    }
  }

  #tellMinute(): void {
    for (const [sink, counts] of recordCounts(this.#status().sinks)) {
      const total = handled(counts);
      const inMinute = total - (this.#atLastMinute.get(sink) ?? 0);
      this.#atLastMinute.set(sink, total);
      this.#logger.info(
        { sink, ...counts, in_last_minute: inMinute },
        `${sink}: ${inMinute} records in the last minute`,
      );
    }
  }
}
