import { setTimeout as sleep } from 'node:timers/promises';
import { asMarketDataError, type MarketDataError } from '@aipx/market-model';
import type { Departures } from './departures.js';
import { RecordQueue } from './record-queue.js';
import { inOwnMemory, type WaitingRecord } from './waiting-record.js';

export interface LaneOptions {
  readonly maxBatchRecords: number;
  readonly maxBatchBytes: number;
  /** How long, ms, a first record waits for company at most. */
  readonly lingerMs: number;
  readonly departures: Departures;
  /** How long, ms, records of this lane may wait; 0 = for ever. */
  readonly ttlMs: number;
  readonly append: (batch: readonly WaitingRecord[]) => Promise<void>;
  /** Monotonic, ms. */
  readonly now: () => number;
  /** Ends the lane where it stands; what is in flight stays listed. `hurry` ends its waiting for company. */
  readonly signal: AbortSignal;
}

export interface LaneHooks {
  readonly onAcknowledged: (batch: readonly WaitingRecord[], tookMs: number) => void;
  /** A send failed; it is repeated unchanged. How often in a row in a way that no repetition can mend. */
  readonly onFailed: (batch: readonly WaitingRecord[], error: MarketDataError, hopelessInARow: number) => void;
  readonly onExpired: (records: readonly WaitingRecord[]) => void;
  /** The log will never take this record. */
  readonly onRefused: (record: WaitingRecord, error: MarketDataError) => void;
}

const CONGESTED_AFTER_MS = 100;
const RETRY_FLOOR_MS = 50;
const RETRY_CAP_MS = 2_000;

/**
 * The way to one partition: one send at a time, in order. A send that fails is sent again unchanged until it is
 * answered, for only so can the log tell a repeated batch from a new one; until then nothing in it is replaced or expires.
 */
export class Lane {
  readonly queue = new RecordQueue();
  readonly #options: LaneOptions;
  readonly #hooks: LaneHooks;
  #inFlight: readonly WaitingRecord[] = [];
  #failures = 0;
  #hopeless = 0;
  #waitingSince = 0;
  #sendingSince = 0;
  #working = false;
  #hurry = false;
  #endLinger: (() => void) | undefined;

  constructor(options: LaneOptions, hooks: LaneHooks) {
    this.#options = options;
    this.#hooks = hooks;
  }

  /** Sent and not acknowledged. */
  get inFlight(): readonly WaitingRecord[] {
    return this.#inFlight;
  }

  /** How long the batch in flight has been on its way, over all its tries. */
  get unansweredMs(): number {
    return this.#inFlight.length === 0 ? 0 : this.#options.now() - this.#sendingSince;
  }

  /** How often the batch in flight has failed. */
  get failures(): number {
    return this.#failures;
  }

  /** More than a full batch waits, or nothing has been taken for a while. A newer book in an older one's place waits on. */
  get isCongested(): boolean {
    const { length, bytes } = this.queue;
    if (length === 0) return false;
    const { maxBatchRecords, maxBatchBytes, now } = this.#options;
    return length > maxBatchRecords || bytes > maxBatchBytes || now() - this.#waitingSince >= CONGESTED_AFTER_MS;
  }

  offer(record: WaitingRecord): void {
    if (this.queue.length === 0) this.#waitingSince = record.waitingSince;
    // What comes close behind others goes with them, and with it the memory that they share.
    const mayWaitLong = this.queue.length === 0 || this.isCongested;
    this.queue.push(mayWaitLong ? inOwnMemory(record) : record);
    if (this.#working) {
      if (this.#isFull()) this.#endLinger?.();
    } else {
      this.#working = true;
      void this.#work();
    }
  }

  /** From now on nothing waits for company. */
  hurry(): void {
    this.#hurry = true;
    this.#endLinger?.();
  }

  async #work(): Promise<void> {
    const { signal, maxBatchRecords, maxBatchBytes } = this.#options;
    while (this.queue.length > 0 && !signal.aborted) {
      await this.#linger();
      this.#dropExpired();
      if (signal.aborted || this.queue.length === 0) continue;
      this.#inFlight = this.queue.take(maxBatchRecords, maxBatchBytes);
      this.#waitingSince = this.queue.first?.waitingSince ?? 0;
      await this.#send();
    }
    this.#working = false;
  }

  async #send(): Promise<void> {
    const { now, signal } = this.#options;
    let wait = RETRY_FLOOR_MS;
    this.#sendingSince = now();
    while (this.#inFlight.length > 0 && !signal.aborted) {
      const batch = this.#inFlight;
      const startedAt = now();
      const error = await this.#attempt(batch);
      if (signal.aborted) return;
      if (error === undefined) {
        this.#settled();
        this.#hooks.onAcknowledged(batch, now() - startedAt);
      } else if (error.code === 'PUBLISH_TOO_LARGE') {
        this.#tooLarge(batch, error);
      } else {
        this.#failures += 1;
        this.#hopeless = error.retryable ? 0 : this.#hopeless + 1;
        this.#hooks.onFailed(batch, error, this.#hopeless);
        await sleep(wait, undefined, { signal }).catch(() => undefined);
        wait = Math.min(wait * 2, RETRY_CAP_MS);
      }
    }
  }

  async #attempt(batch: readonly WaitingRecord[]): Promise<MarketDataError | undefined> {
    try {
      await this.#options.append(batch);
      return undefined;
    } catch (cause) {
      return asMarketDataError(cause, 'PUBLISH_FAILED');
    }
  }

  /** The log has answered and took nothing: smaller batches may pass; a record that is too large alone never will. */
  #tooLarge(batch: readonly WaitingRecord[], error: MarketDataError): void {
    this.#settled();
    const [first] = batch;
    if (batch.length === 1 && first !== undefined) return this.#hooks.onRefused(first, error);
    const half = Math.ceil(batch.length / 2);
    this.queue.putBack(batch.slice(half));
    this.#inFlight = batch.slice(0, half);
  }

  #settled(): void {
    this.#inFlight = [];
    this.#failures = 0;
    this.#hopeless = 0;
  }

  /** Any may be the oldest: a newer book stands in the place of the one it replaced. */
  #dropExpired(): void {
    const { ttlMs, now } = this.#options;
    if (ttlMs === 0) return;
    const oldest = now() - ttlMs;
    const isExpired = (record: WaitingRecord) => record.waitingSince < oldest;
    if (this.queue.list().some(isExpired)) this.#hooks.onExpired(this.queue.remove(isExpired));
  }

  #isFull(): boolean {
    const { maxBatchRecords, maxBatchBytes } = this.#options;
    return this.queue.length >= maxBatchRecords || this.queue.bytes >= maxBatchBytes;
  }

  async #linger(): Promise<void> {
    const { lingerMs, now, departures } = this.#options;
    const dueAt = (this.queue.first?.waitingSince ?? 0) + lingerMs;
    if (dueAt <= now() || this.#hurry || this.#isFull()) return;
    const { over, leave } = departures.join(dueAt);
    this.#endLinger = leave;
    await over;
    this.#endLinger = undefined;
  }
}
