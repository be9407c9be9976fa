import type { EventLog, LogEntry } from '@aipx/event-log';
import { EVENT_TOPICS } from '@aipx/market-proto';
import { Departures } from './departures.js';
import type { BufferLimits } from './limits.js';
import { Lane, type LaneHooks } from './lane.js';
import type { WaitingRecord } from './waiting-record.js';

export interface LanesOptions {
  readonly log: EventLog;
  readonly limits: BufferLimits;
  /** Monotonic, ms. */
  readonly now: () => number;
  readonly signal: AbortSignal;
}

/** One lane a partition, made when its first record comes. */
export class Lanes {
  readonly #options: LanesOptions;
  readonly #hooks: LaneHooks;
  /** By topic, then partition. */
  readonly #lanes = new Map<string, Lane[]>();
  readonly #departures: Departures;
  #hurry = false;

  constructor(options: LanesOptions, hooks: LaneHooks) {
    this.#departures = new Departures(options.now);
    this.#options = options;
    this.#hooks = hooks;
  }

  of({ topic, key }: LogEntry): Lane {
    const { partition } = this.#options.log.partitionFor(topic, key);
    let lanes = this.#lanes.get(topic);
    if (lanes === undefined) this.#lanes.set(topic, (lanes = []));
    return (lanes[partition] ??= this.#newLane(topic));
  }

  /** Lanes of books, or those of what must not be lost: trades, gaps and dead letters. */
  all(which: 'books' | 'lasting'): Lane[] {
    const topics = [...this.#lanes.keys()].filter(
      (topic) => (topic === EVENT_TOPICS.orderbook) === (which === 'books'),
    );
    // A partition that got no record yet has left a hole.
    return topics.flatMap((topic) => Object.values(this.#lanes.get(topic) ?? []));
  }

  /** The first of the lane that has waited longest, taken out. What the disk holds too takes no part. */
  takeOldest(topic: string): WaitingRecord | undefined {
    let oldest: Lane | undefined;
    for (const lane of Object.values(this.#lanes.get(topic) ?? [])) {
      const { first } = lane.queue;
      if (first === undefined || first.spilledAs !== undefined) continue;
      if (first.waitingSince < (oldest?.queue.first?.waitingSince ?? Infinity)) oldest = lane;
    }
    return oldest?.queue.take(1, Infinity)[0];
  }

  /** Failed sends in a row of the lane that is worst off. */
  get failures(): number {
    return Math.max(0, ...this.#everyLane().map((lane) => lane.failures));
  }

  /** How long the oldest batch has been on its way. */
  get unansweredMs(): number {
    return Math.max(0, ...this.#everyLane().map((lane) => lane.unansweredMs));
  }

  /** From now on nothing waits for company. */
  hurry(): void {
    this.#hurry = true;
    for (const lane of this.#everyLane()) lane.hurry();
  }

  #everyLane(): readonly Lane[] {
    return [...this.all('books'), ...this.all('lasting')];
  }

  #newLane(topic: string): Lane {
    const { log, limits, now, signal } = this.#options;
    const { maxBatchRecords, maxBatchBytes, lingerMs } = limits;
    const lane = new Lane(
      {
        maxBatchRecords,
        maxBatchBytes,
        lingerMs,
        departures: this.#departures,
        ttlMs: timeToLive(topic, limits),
        append: (batch) =>
          log.append(
            batch.map(({ entry }) => entry),
            { signal },
          ),
        now,
        signal,
      },
      this.#hooks,
    );
    if (this.#hurry) lane.hurry();
    return lane;
  }
}

/** Gaps and dead letters have none: they name what is lost. */
function timeToLive(topic: string, limits: BufferLimits): number {
  if (topic === EVENT_TOPICS.orderbook) return limits.bookTtlMs;
  return topic === EVENT_TOPICS.tick ? limits.tradeTtlMs : 0;
}
