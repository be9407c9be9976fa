import { MarketDataError } from '@aipx/market-model';
import type { FetchedPartition } from './wire/fetch.js';

/** Kafka ends a transaction that its producer left open after 15 minutes by default; some stay for ever. */
const TELL_EVERY_MS = 60_000;

interface Standing {
  readonly at: bigint;
  /** Since when, and told when last, ms. */
  readonly since: number;
  toldAt: number;
}

/** Notices partitions that stand still because a transaction of somebody's stays open: what is behind it is not read. */
export class OpenTransactions {
  readonly #now: () => number;
  /** By topic and partition. */
  readonly #standing = new Map<string, Standing>();

  /** @param now monotonic, ms */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /**
   * @param next the offset that is read next
   * @returns what to tell, once a minute, while nothing moves
   */
  note(answer: FetchedPartition, next: bigint): MarketDataError | undefined {
    const { topic, partition, end, highWatermark } = answer;
    const name = `${topic}/${partition}`;
    const isHeldUp = next >= end && end < highWatermark;
    if (!isHeldUp) {
      this.#standing.delete(name);
      return undefined;
    }
    const now = this.#now();
    const standing = this.#standing.get(name);
    if (standing?.at !== end) {
      this.#standing.set(name, { at: end, since: now, toldAt: now });
      return undefined;
    }
    if (now - standing.toldAt < TELL_EVERY_MS) return undefined;
    standing.toldAt = now;
    return stillOpen(answer, Math.round((now - standing.since) / 1_000));
  }
}

function stillOpen({ topic, partition, end, highWatermark }: FetchedPartition, seconds: number): MarketDataError {
  return new MarketDataError(
    'STORE_UNAVAILABLE',
    `partition ${partition} of ${topic} is not read beyond offset ${end}, though it reaches to ${highWatermark}: a transaction ` +
      `has been open there for ${seconds} s at least. Who writes to this topic by transactions? kafka-transactions.sh ends them`,
    { context: { topic, partition, offset: String(end) }, retryable: true },
  );
}
