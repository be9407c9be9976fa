import type { EventLog } from '@aipx/event-log';
import { MarketDataError, type Gap } from '@aipx/market-model';
import { decodeEvent } from '@aipx/market-proto';
import { wallClock } from '@aipx/websocket-client';
import type { FrameUnit } from '../frame-unit.js';
import { VenueTotals, zeroPublishCounts, type Publisher, type PublisherStatus } from '../publisher.js';
import type { SpillQueue } from '../spill/spill-queue.js';
import { Intake } from './intake.js';
import { Lanes } from './lanes.js';
import type { BufferLimits } from './limits.js';
import { Memory } from './memory.js';
import { RecordMaker } from './record-maker.js';
import { Spillway } from './spillway.js';
import type { WaitingRecord } from './waiting-record.js';

export interface BufferedPublisherOptions {
  readonly log: EventLog;
  readonly limits: BufferLimits;
  /** Absent: what memory cannot hold is dropped and named by gaps. */
  readonly spill?: SpillQueue;
  /** So many failed sends of a batch in a row that no retry can mend end the run; 0 = never. */
  readonly maxHopelessErrors: number;
  /** Something failed and is tried again, or had to be let go. */
  readonly onFault: (error: MarketDataError) => void;
  /** The log has this gap. */
  readonly onGapStored?: (gap: Gap) => void;
  /** A send was acknowledged: its records, and how long it took, ms. */
  readonly onPublished?: (records: readonly WaitingRecord[], tookMs: number) => void;
  /** Monotonic, ms. @default performance.now */
  readonly now?: () => number;
}

const HOUSEKEEPING_MS = 250;

/**
 * Takes records to a log that can be slow or away. Trades wait in memory, then on the disk; books are replaced by newer
 * ones and expire. Nothing is let go without being counted by reason and named by a gap.
 */
export class BufferedPublisher implements Publisher {
  readonly #options: BufferedPublisherOptions;
  readonly #counts = zeroPublishCounts();
  readonly #totals = new VenueTotals();
  readonly #maker: RecordMaker;
  readonly #memory: Memory;
  readonly #lanes: Lanes;
  readonly #spillway: Spillway | undefined;
  readonly #intake: Intake;
  readonly #stopping = new AbortController();
  readonly #finished = Promise.withResolvers<undefined>();
  #isRunning = false;
  #ended = false;
  #lostAtEnd = 0;

  constructor(options: BufferedPublisherOptions) {
    const { log, limits, spill, onFault, now = () => performance.now() } = options;
    const { signal } = this.#stopping;
    this.#options = options;
    this.#maker = new RecordMaker({ wall: wallClock, now });
    this.#memory = new Memory(limits.maxMessages, limits.maxBytes);
    this.#spillway = spill && new Spillway({ queue: spill, maker: this.#maker, ...limits, now, onFault });
    this.#lanes = new Lanes(
      { log, limits, now, signal },
      {
        onAcknowledged: (batch, tookMs) => this.#acknowledged(batch, tookMs),
        onFailed: (batch, error, hopelessInARow) => this.#failed(batch, error, hopelessInARow),
        onExpired: (records) => this.#expired(records),
        onRefused: (record, error) => this.#refused(record, error),
      },
    );
    this.#intake = new Intake({
      limits,
      counts: this.#counts,
      maker: this.#maker,
      memory: this.#memory,
      lanes: this.#lanes,
      spillway: this.#spillway,
    });
    this.#finished.promise.catch(() => undefined);
  }

  get status(): PublisherStatus {
    return {
      counts: this.#counts,
      venues: this.#totals.venues,
      waiting: this.#memory.records,
      waitingBytes: this.#memory.bytes,
      consecutiveErrors: this.#lanes.failures,
      unansweredMs: this.#lanes.unansweredMs,
      lastLossAt: this.#intake.lastLossAt,
      lostAtEnd: this.#lostAtEnd,
      spill: this.#spillway?.status,
    };
  }

  offer(unit: FrameUnit): void {
    if (this.#stopping.signal.aborted) return this.#offerLate(unit);
    const lasting: WaitingRecord[] = [];
    for (const event of unit.events) {
      const record = this.#maker.event(event);
      if (record.kind === 'orderbook') this.#intake.takeBook(record);
      else lasting.push(record);
    }
    for (const letter of unit.deadLetters) lasting.push(this.#maker.deadLetter(letter));
    if (lasting.length > 0) this.#intake.takeLasting(lasting);
  }

  hasKeptAllOf(exchange: string): boolean {
    return this.#memory.isEmptyOf(exchange) && !this.#intake.isHoldingGaps;
  }

  hasSentAllOf(exchange: string): boolean {
    const onDisk = this.#spillway?.status.waiting ?? 0;
    return onDisk === 0 && this.hasKeptAllOf(exchange);
  }

  /** Nothing is sent any more: what still comes goes where it survives. */
  #offerLate(unit: FrameUnit): void {
    const events = unit.events.map((event) => this.#maker.event(event));
    const letters = unit.deadLetters.map((letter) => this.#maker.deadLetter(letter));
    this.#lostAtEnd += this.#intake.rescueLate([...events, ...letters]);
  }

  async run(signal: AbortSignal): Promise<void> {
    const housekeeping = setInterval(() => this.#housekeep(), HOUSEKEEPING_MS);
    const stop = () => this.#stopHere();
    signal.addEventListener('abort', stop, { once: true });
    this.#isRunning = true;
    try {
      if (signal.aborted) stop();
      this.#intake.refill();
      this.#finishIfDone();
      await this.#finished.promise;
    } finally {
      clearInterval(housekeeping);
      signal.removeEventListener('abort', stop);
    }
  }

  end(deadline?: AbortSignal): void {
    this.#ended = true;
    this.#intake.releaseGaps();
    this.#lanes.hurry();
    if (deadline?.aborted) return this.#stopHere();
    deadline?.addEventListener('abort', () => this.#stopHere(), { once: true });
    this.#finishIfDone();
  }

  #acknowledged(batch: readonly WaitingRecord[], tookMs: number): void {
    for (const record of batch) this.#count(record);
    this.#spillway?.acknowledge(batch);
    this.#options.onPublished?.(batch, tookMs);
    if (this.#isRunning) this.#intake.refill();
    this.#finishIfDone();
  }

  #count(record: WaitingRecord): void {
    const { kind, exchange, stream } = record;
    this.#memory.remove(record);
    if (stream !== undefined) {
      this.#counts.published += 1;
      this.#totals.of(exchange).published[stream.kind] += 1;
    } else if (kind === 'gap') {
      this.#counts.gaps += 1;
      this.#gapStored(record);
    } else {
      this.#counts.deadLetters += 1;
    }
  }

  #gapStored({ gap, entry }: WaitingRecord): void {
    const event = gap ?? decodeEvent('gap', entry.value);
    if (event.kind !== 'gap') return;
    this.#totals.addGap(event);
    this.#options.onGapStored?.(event);
  }

  #failed(batch: readonly WaitingRecord[], error: MarketDataError, hopelessInARow: number): void {
    for (const key of new Set(batch.map(({ stream, exchange }) => stream && `${stream.kind} ${exchange}`))) {
      if (key === undefined) continue;
      const [kind, exchange = ''] = key.split(' ');
      this.#totals.of(exchange).errors[kind as 'tick' | 'orderbook'] += 1;
    }
    this.#options.onFault(error);
    const { maxHopelessErrors } = this.#options;
    if (maxHopelessErrors > 0 && hopelessInARow >= maxHopelessErrors) this.#giveUp(error, hopelessInARow);
  }

  #expired(records: readonly WaitingRecord[]): void {
    this.#intake.letGo(records, 'expired');
    this.#finishIfDone();
  }

  /** One record that the log never takes must not hold up those behind it. */
  #refused(record: WaitingRecord, error: MarketDataError): void {
    this.#intake.letGo([record], 'refused');
    this.#options.onFault(error);
    this.#finishIfDone();
  }

  #housekeep(): void {
    this.#intake.housekeep();
    this.#intake.refill();
    this.#finishIfDone();
  }

  #finishIfDone(): void {
    if (!this.#ended || this.#memory.records > 0 || this.#spillway?.isActive) return;
    if (this.#intake.isHoldingGaps) return this.#intake.releaseGaps();
    this.#finished.resolve(undefined);
  }

  #giveUp(error: MarketDataError, failures: number): void {
    this.#finished.reject(
      new MarketDataError(
        'PUBLISH_FAILED',
        `the log refused the same records ${failures} times and no retry can mend that: ${error.message}`,
        { cause: error },
      ),
    );
    this.#stopHere();
  }

  /** Ends here and now; what is not acknowledged is taken to the disk. */
  #stopHere(): void {
    if (this.#stopping.signal.aborted) return;
    this.#stopping.abort();
    this.#lanes.hurry();
    this.#lostAtEnd += this.#intake.rescue();
    this.#finished.resolve(undefined);
  }
}
