import type { OffsetRange, TopicPartition } from '@aipx/event-log';
import type { Nanoseconds } from '@aipx/market-model';
import { EVENT_TOPICS } from '@aipx/market-proto';
import type { HotCommit } from './hot-store.js';
import { recordOf, type QueueHead } from './partition-queue.js';

/**
 * What the hot sink did since it began. Counts follow positions: a record counts once, whatever happened on its way.
 * Ticks and books taken from the log = tick + orderbook + duplicates + conflicts + dlq, and
 * Gaps taken from the log = gap + gapDlq.
 */
export interface HotCounts {
  /** Ticks and books that lay between the sink's position and the log's end when a partition was first assigned. */
  readonly recovered: number;
  /** The Gaps among them, counted apart. */
  readonly recoveredGap: number;
  readonly tick: number;
  readonly orderbook: number;
  readonly gap: number;
  /** Gaps of the sink's own, for stretches that retention took. */
  readonly retentionGap: number;
  /** Ticks that the store already had, with the same content: venues repeat themselves. */
  readonly duplicates: number;
  /** Ticks that the store already had, with other content. Kept in the DLQ. */
  readonly conflicts: number;
  /** Ticks and books in the DLQ that were undecodable or that the database refused. */
  readonly dlq: number;
  readonly gapDlq: number;
}

const NONE: HotCounts = {
  recovered: 0,
  recoveredGap: 0,
  tick: 0,
  orderbook: 0,
  gap: 0,
  retentionGap: 0,
  duplicates: 0,
  conflicts: 0,
  dlq: 0,
  gapDlq: 0,
};

export class HotCounter {
  #counts = { ...NONE };
  readonly #seen = new Set<string>();
  #newest: Nanoseconds | undefined;

  get counts(): HotCounts {
    return { ...this.#counts };
  }

  /** When the log took the newest record that was stored. */
  get newest(): Nanoseconds | undefined {
    return this.#newest;
  }

  /** Counts what a partition has to catch up with, the first time that it is assigned. */
  assigned({ topic, partition }: TopicPartition, position: bigint, range: OffsetRange): void {
    const key = `${topic}/${partition}`;
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    const waiting = Number(range.end - (position > range.begin ? position : range.begin));
    this.#counts[topic === EVENT_TOPICS.gap ? 'recoveredGap' : 'recovered'] += waiting;
  }

  stored(heads: readonly QueueHead[], commit: HotCommit): void {
    const counts = this.#counts;
    const items = heads.flatMap((head) => head.items);
    const retentionGaps = items.filter((item) => 'row' in item && item.row.record === undefined).length;
    counts.tick += commit.tick;
    counts.orderbook += commit.orderbook;
    counts.gap += commit.gap - retentionGaps;
    counts.retentionGap += retentionGaps;
    counts.duplicates += commit.duplicates;
    for (const item of items) {
      const appendedAt = recordOf(item)?.appendedAt;
      if (appendedAt !== undefined && appendedAt > (this.#newest ?? 0n)) this.#newest = appendedAt;
      if (!('row' in item)) this.#dead(item.record.topic);
    }
    for (const { row, reason } of commit.refused) {
      if (reason === 'VALIDATION_CONFLICT') counts.conflicts += 1;
      else this.#dead(row.topic);
    }
  }

  #dead(topic: string): void {
    this.#counts[topic === EVENT_TOPICS.gap ? 'gapDlq' : 'dlq'] += 1;
  }
}
