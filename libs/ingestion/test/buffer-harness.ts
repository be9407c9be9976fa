import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEAD_LETTER_TOPIC, EmbeddedEventLog, type LogEntry } from '@aipx/event-log';
import { MarketDataError, parseDecimal, type Gap, type OrderBook, type Tick } from '@aipx/market-model';
import { EVENT_TOPICS } from '@aipx/market-proto';
import { onTestFinished } from 'vitest';
import { BufferedPublisher, type BufferedPublisherOptions } from '../src/buffer/buffered-publisher.js';
import type { BufferLimits } from '../src/buffer/limits.js';
import type { FrameUnit } from '../src/frame-unit.js';
import { SpillQueue } from '../src/spill/spill-queue.js';
import { WatchedLog } from './watched-log.js';

const TOPICS = Object.fromEntries([...Object.values(EVENT_TOPICS), DEAD_LETTER_TOPIC].map((topic) => [topic, 3]));

const LIMITS: BufferLimits = {
  maxMessages: 1_000,
  maxBytes: 1 << 20,
  bookTtlMs: 1_000,
  tradeTtlMs: 0,
  priority: 'trades',
  maxBatchRecords: 10,
  maxBatchBytes: 1 << 20,
  lingerMs: 1,
};

/** A real log and a real folder; the test decides what each append comes to and what time it is. */
export class BufferHarness {
  readonly folder = mkdtempSync(join(tmpdir(), 'aipx-buffer-'));
  readonly faults: MarketDataError[] = [];
  /** Batches in the order they were tried. */
  readonly tried: (readonly LogEntry[])[] = [];
  readonly log: WatchedLog;
  /** Awaited before each append; throws what the log shall answer. */
  answer: (batch: readonly LogEntry[]) => Promise<void> | void = () => undefined;
  now = 0;
  #tried = Promise.withResolvers<undefined>();

  private constructor(log: EmbeddedEventLog) {
    this.log = new WatchedLog(log);
    this.log.beforeAppend = async (batch) => {
      this.tried.push(batch);
      this.#tried.resolve(undefined);
      this.#tried = Promise.withResolvers();
      await this.answer(batch);
    };
    onTestFinished(async () => {
      await log.close();
      rmSync(this.folder, { recursive: true });
    });
  }

  static async open(): Promise<BufferHarness> {
    const folder = mkdtempSync(join(tmpdir(), 'aipx-buffer-log-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    return new BufferHarness(await EmbeddedEventLog.open({ path: join(folder, 'log'), topics: TOPICS }));
  }

  /** A publisher that runs until the test ends it. */
  start(limits: Partial<BufferLimits> = {}, options: Partial<BufferedPublisherOptions> = {}) {
    const stop = new AbortController();
    const publisher = new BufferedPublisher({
      log: this.log,
      limits: { ...LIMITS, ...limits },
      maxHopelessErrors: 10,
      onFault: (error) => this.faults.push(error),
      now: () => this.now,
      ...options,
    });
    const running = publisher.run(stop.signal);
    running.catch(() => undefined);
    onTestFinished(() => stop.abort());
    return { publisher, running, stop };
  }

  openSpill(maxBytes = 1 << 24): SpillQueue {
    const queue = SpillQueue.open({ folder: join(this.folder, 'spill'), maxBytes });
    onTestFinished(() => queue.close());
    return queue;
  }

  /** Resolves once so many appends were tried. */
  async tries(count: number): Promise<void> {
    while (this.tried.length < count) await this.#tried.promise;
  }

  /** The log is away until it is told to be back. */
  goAway(): { back: () => void } {
    let isAway = true;
    this.answer = () => {
      if (isAway) throw new MarketDataError('PUBLISH_FAILED', 'away', { retryable: true });
    };
    return { back: () => (isAway = false) };
  }

  /** Appends wait until they are let go. */
  hold(): { release: () => void } {
    const gate = Promise.withResolvers<undefined>();
    this.answer = () => gate.promise.then(() => undefined);
    return { release: () => gate.resolve(undefined) };
  }
}

export function unit(...events: (Tick | OrderBook | Gap)[]): FrameUnit {
  return { events, deadLetters: [], bytes: 10 };
}

export function tick(symbol: string, id: number): Tick {
  return {
    kind: 'tick',
    exchange: 'plain',
    symbol,
    price: parseDecimal('1'),
    volume: parseDecimal('1'),
    timestamp: BigInt(id),
    change: undefined,
    changeRate: undefined,
    side: 'BUY',
    tradeId: String(id),
    receivedTimestamp: BigInt(id),
    streamType: 'REALTIME',
  };
}

export function book(symbol: string, id: number): OrderBook {
  return {
    kind: 'orderbook',
    exchange: 'plain',
    symbol,
    bids: [{ price: parseDecimal('1'), quantity: parseDecimal('1') }],
    asks: [],
    timestamp: BigInt(id),
    receivedTimestamp: BigInt(id),
    streamType: 'REALTIME',
    totalBidQuantity: undefined,
    totalAskQuantity: undefined,
  };
}

export function gap(from: bigint, to: bigint): Gap {
  return {
    kind: 'gap',
    exchange: 'plain',
    symbol: 'KRW-A',
    channel: 'tick',
    from,
    to,
    cause: 'RECONNECT',
    missed: 1n,
    missedVolume: undefined,
    detail: '',
  };
}

export const idsOf = (events: readonly { readonly receivedTimestamp: bigint }[]) =>
  events.map(({ receivedTimestamp }) => Number(receivedTimestamp));
