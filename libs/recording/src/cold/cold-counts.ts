import type { OffsetRange, TopicPartition } from '@aipx/event-log';
import { kindOfTopic } from '@aipx/market-proto';
import type { ColdPartition, StoredBatch } from './cold-store.js';

/**
 * What the cold sink did since the process began. Counts follow positions: a batch counts when its position moved. Ticks
 * and books taken from the log = rows + dlq, and Gaps taken from the log = gap + gapDlq.
 */
export interface ColdCounts {
  /** Ticks and books that lay between the end of the finished batches and the log's end at start. */
  readonly recovered: number;
  /** The same for gaps. */
  readonly recoveredGap: number;
  /** Ticks and books stored. */
  readonly rows: number;
  /** The ticks among them. */
  readonly tick: number;
  /** The books among them. */
  readonly orderbook: number;
  readonly gap: number;
  /** Ticks and books that could not be decoded, whichever sink sends them to the DLQ. */
  readonly dlq: number;
  readonly gapDlq: number;
  /** Offsets that retention took before they were stored. Those of before the start are not in `recovered`. */
  readonly missing: number;
  readonly files: number;
  readonly bytes: number;
}

type Counter = keyof ColdCounts;

export class ColdCounter {
  readonly #counts: Record<Counter, number> = {
    recovered: 0,
    recoveredGap: 0,
    rows: 0,
    tick: 0,
    orderbook: 0,
    gap: 0,
    dlq: 0,
    gapDlq: 0,
    missing: 0,
    files: 0,
    bytes: 0,
  };
  /** The log's end when this process first got the partition. */
  readonly #endAtStart = new Map<string, bigint>();

  get counts(): ColdCounts {
    return { ...this.#counts };
  }

  opened(partition: TopicPartition, opened: ColdPartition, logEnd: bigint): void {
    const name = `${partition.topic}/${partition.partition}`;
    if (!this.#endAtStart.has(name)) {
      this.#endAtStart.set(name, logEnd);
      this.#counts[recoveredOf(partition)] += Number(logEnd - opened.finishedTo);
    }
    for (const batch of opened.finished) this.stored(partition, batch);
  }

  stored(partition: TopicPartition, batch: StoredBatch): void {
    const kind = kindOfTopic(partition.topic);
    const isGap = kind === 'gap';
    this.#counts[kind] += batch.rows;
    if (!isGap) this.#counts.rows += batch.rows;
    this.#counts[isGap ? 'gapDlq' : 'dlq'] += sizeOf(batch.undecodable);
    this.#counts.files += batch.files;
    this.#counts.bytes += batch.bytes;
    this.#counts.missing += sizeOf(batch.missing);
    const endAtStart = this.#endAtStart.get(`${partition.topic}/${partition.partition}`) ?? 0n;
    this.#counts[recoveredOf(partition)] -= sizeOf(batch.missing, endAtStart);
  }
}

function recoveredOf(partition: TopicPartition): 'recovered' | 'recoveredGap' {
  return kindOfTopic(partition.topic) === 'gap' ? 'recoveredGap' : 'recovered';
}

/** Offsets in the ranges, those from `limit` on left out. */
function sizeOf(ranges: readonly OffsetRange[], limit?: bigint): number {
  return ranges.reduce((sum, { begin, end }) => {
    const last = limit !== undefined && end > limit ? limit : end;
    return last > begin ? sum + Number(last - begin) : sum;
  }, 0);
}
