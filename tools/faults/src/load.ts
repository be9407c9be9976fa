import { setTimeout as sleep } from 'node:timers/promises';
import type { EventLog, LogEntry } from '@aipx/event-log';
import { MarketDataError } from '@aipx/market-model';
import type { EventSource } from './events.ts';

export interface LoadOptions {
  readonly log: EventLog;
  readonly source: EventSource;
  /** Records a second. */
  readonly rate: number;
  readonly signal: AbortSignal;
}

/** Some 12 MB of Parquet: a file above 5 MiB is sent in parts, also when the burst falls into two batches. */
const BURST_BOOKS = 1_900;
/** A broker takes 4 MiB at once, and each of these books has some 17 kB. */
const BURST_PIECE = 200;
const EVERY_MS = 100;
const TRY_AGAIN_MS = 200;

/** Appends records at a steady rate, and waits out a broker that is away: each record is in the log once. */
export class Load {
  readonly #options: LoadOptions;
  /** What is to be appended beside the steady flow. */
  #extra: LogEntry[] = [];
  #stopping = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor(options: LoadOptions) {
    this.#options = options;
  }

  start(): void {
    this.#stopping = new AbortController();
    this.#running = this.#run(this.#stopping.signal);
    this.#running.catch(() => undefined);
  }

  /** Resolves when everything that was made is in the log. @throws what no new try could mend */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  /** A file of the lake large enough for a multipart upload follows from it. */
  burst(): void {
    this.#extra.push(...this.#options.source.largeBooks(BURST_BOOKS));
  }

  async #run(stopping: AbortSignal): Promise<void> {
    const { source, rate, signal } = this.#options;
    let made = 0;
    const startedAt = performance.now();
    while (!stopping.aborted) {
      const due = Math.floor(((performance.now() - startedAt) / 1_000) * rate);
      // After an outage the rest of it is left out: the load has no spill.
      const count = Math.min(due - made, rate);
      made = due;
      await this.#append([
        ...this.#extra.splice(0, BURST_PIECE),
        ...Array.from({ length: count }, () => source.next()),
      ]);
      await sleep(EVERY_MS, undefined, { signal: AbortSignal.any([stopping, signal]) }).catch(() => undefined);
    }
  }

  async #append(batch: readonly LogEntry[]): Promise<void> {
    const { log, signal } = this.#options;
    for (;;) {
      try {
        if (batch.length > 0) await log.append(batch, { signal });
        return;
      } catch (error) {
        if (!(error instanceof MarketDataError) || !error.retryable) throw error;
        await sleep(TRY_AGAIN_MS, undefined, { signal });
      }
    }
  }
}
