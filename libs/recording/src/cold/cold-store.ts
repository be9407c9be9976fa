import type { CommittedOffset, OffsetRange, TopicPartition } from '@aipx/event-log';
import type { MarketDataError } from '@aipx/market-model';
import type { PackedRecords } from './packed-records.js';

/**
 * Where the cold recorder puts its batches. The store alone knows where each partition stands, because what it holds
 * is the position: a chain of batches, each beginning where the last one ended.
 */
export interface ColdStore {
  /**
   * Takes a partition up where its chain ends, after finishing what a predecessor left unfinished. Waits outages of the
   * store out.
   *
   * @param committed a `hint` that somebody got from a partition once. May be anybody's and wrong: it saves looking for the
   * chain's end where it proves right, and changes nothing else
   * @throws {MarketDataError} `STORE_LOG_MISMATCH` when the chain was made from another log, `STORE_DAMAGED` when what
   * is stored contradicts itself
   */
  open(partition: TopicPartition, session: ColdSession, committed?: CommittedOffset): Promise<ColdPartition>;
}

export interface ColdSession {
  /** Ends every wait. What was begun is finished by whoever opens the partition next. */
  readonly signal: AbortSignal;
  /**
   * The offsets of a batch that hold no event, never empty. Awaited before the batch counts as finished; after a crash
   * it may come again for the same ones.
   */
  readonly onUndecodable: (offsets: readonly OffsetRange[]) => Promise<void>;
  /** A call to the store has failed that many times in a row, and is tried again. */
  readonly onFault: (error: MarketDataError, failures: number) => void;
  /** A call that had failed got through. */
  readonly onRecovered: () => void;
}

export interface ColdPartition {
  /** Where the finished batches ended when the partition was opened. */
  readonly finishedTo: bigint;
  /** The unfinished batches that were finished while opening. */
  readonly finished: readonly StoredBatch[];
  /** Where the next batch begins: the first offset not yet durable. */
  readonly position: bigint;
  /** The position and the last batch's first offset, for `open` to begin with; `undefined` before the first batch. */
  readonly hint: CommittedOffset | undefined;
  /**
   * Stores `[position, batch.end)`. Another owner of the partition may have cut other batches there: then those are
   * followed, and the position may end up behind `batch.end`. Yields each batch once it is durable and the position has
   * moved. One call at a time; the records are handed over and must not be used afterwards.
   */
  write(batch: ColdBatch): AsyncIterable<StoredBatch>;
}

export interface ColdBatch {
  readonly end: bigint;
  /**
   * `recordHash` of record `end - 1`: what is compared when the position is taken up again. `null` when retention took
   * that record before anybody read it.
   */
  readonly lastHash: string | null;
  /** What the log holds of the range; records before the position are ignored. */
  readonly records: PackedRecords;
}

/** A batch as it lies in the store. */
export interface StoredBatch extends OffsetRange {
  readonly rows: number;
  readonly files: number;
  readonly bytes: number;
  readonly undecodable: readonly OffsetRange[];
  /** Offsets neither readable nor in a file: retention was faster. */
  readonly missing: readonly OffsetRange[];
}
