import type { Gap, Nanoseconds } from '@aipx/market-model';
import { GapMerger, mergeByKey } from '../gap-merger.js';
import type { DropCounts } from '../publisher.js';
import type { Stream, WaitingRecord } from './waiting-record.js';

const REASONS: Readonly<Record<keyof DropCounts, string>> = {
  expired: 'waited for the log longer than it may',
  overflow: 'no room while the log was away',
  refused: 'the log does not take it',
  shutdown: 'waited for the log when the process had to end',
};

/** What had to be let go becomes a gap: one a key and second, further ones merge and wait, none is dropped. */
export class Losses {
  readonly #merger = new GapMerger();
  readonly #counts: DropCounts;
  /** Gaps that wait for room on the disk. One a key: bounded by the streams. */
  #held: readonly Gap[] = [];
  /** Streams whose first loss to a full disk is named there. */
  readonly #named = new Set<Stream>();
  #lastAt: Nanoseconds | undefined;

  constructor(counts: DropCounts) {
    this.#counts = counts;
  }

  /** Some gap is not on its way yet. */
  get isPending(): boolean {
    return this.#held.length > 0 || this.#merger.isPending;
  }

  /** Some gap waits for room on the disk. */
  get isHolding(): boolean {
    return this.#held.length > 0;
  }

  /** When a record was let go last. */
  get lastAt(): Nanoseconds | undefined {
    return this.#lastAt;
  }

  /** Counts the record and names it. @returns the gap, unless it waits for its second to be over */
  lost(record: WaitingRecord, reason: keyof DropCounts, now: Nanoseconds): Gap | undefined {
    const gap = this.#count(record, reason, now);
    return gap && this.#merger.add(gap, now);
  }

  /**
   * Likewise when the disk is full: the first loss of a stream is named there before it happens, all others become one
   * gap that is written before the stream's next record.
   */
  lostToFullDisk(record: WaitingRecord, now: Nanoseconds): Gap | undefined {
    const gap = this.#count(record, 'overflow', now);
    if (gap === undefined || record.stream === undefined) return undefined;
    if (this.#named.has(record.stream)) {
      this.hold([gap]);
      return undefined;
    }
    this.#named.add(record.stream);
    return gap;
  }

  /** The gaps whose second is over. */
  due(now: Nanoseconds): readonly Gap[] {
    return this.#merger.due(now);
  }

  /** Keeps gaps until there is room for them. */
  hold(gaps: readonly Gap[]): void {
    this.#held = mergeByKey([...this.#held, ...gaps]);
  }

  /** Those that were kept for want of room. */
  releaseHeld(): readonly Gap[] {
    const gaps = this.#held;
    this.#held = [];
    this.#named.clear();
    return gaps;
  }

  /** Those too that wait for their second. */
  release(now: Nanoseconds): readonly Gap[] {
    return mergeByKey([...this.releaseHeld(), ...this.#merger.flush(now)]);
  }

  #count({ stream, receivedAt, after }: WaitingRecord, reason: keyof DropCounts, now: Nanoseconds): Gap | undefined {
    if (stream === undefined) return undefined;
    this.#counts[reason] += 1;
    this.#lastAt = now;
    return {
      kind: 'gap',
      exchange: stream.exchange,
      symbol: stream.symbol,
      channel: stream.kind,
      from: after ?? receivedAt,
      to: receivedAt,
      cause: 'BUFFER',
      missed: 1n,
      missedVolume: undefined,
      detail: REASONS[reason],
    };
  }
}
