import type { LogRecord, TopicPartition } from '@aipx/event-log';
import type { ErrorCode, Gap, MarketDataError, MarketEvent, OrderBook, Tick } from '@aipx/market-model';

/** Where the hot sink stands in one partition. */
export interface StoredPosition {
  /** The log that the offset belongs to. */
  readonly logId: string;
  /** The first offset that is not stored. */
  readonly nextOffset: bigint;
  /** `recordHash` of the record before it; `undefined` when there was none or it is not known. */
  readonly lastHash: string | undefined;
}

/** An event on its way into the store, with the record that it came in. */
export interface HotRow<Event extends MarketEvent = MarketEvent> extends TopicPartition {
  readonly event: Event;
  /** `undefined` for the Gap that the sink itself makes of a stretch that retention took. */
  readonly record: LogRecord | undefined;
}

/** Moves a partition's position, if it still stands at `from`. */
export interface PositionMove extends TopicPartition {
  readonly from: bigint;
  readonly to: bigint;
  readonly lastHash: string | undefined;
}

/** What goes into the store in one transaction. */
export interface HotBatch {
  readonly logId: string;
  /** Ascending by topic and partition, so that two writers never wait for each other. */
  readonly moves: readonly PositionMove[];
  readonly ticks: readonly HotRow<Tick>[];
  readonly books: readonly HotRow<OrderBook>[];
  readonly gaps: readonly HotRow<Gap>[];
}

/** A row that the store cannot take: it differs from the one under the same key, or the database refuses it. */
export interface RefusedRow {
  readonly row: HotRow;
  readonly reason: Extract<ErrorCode, 'VALIDATION_CONFLICT' | 'STORE_REFUSED'>;
  readonly message: string;
}

/** What became of a batch. Rows stored + duplicates + refused = rows of the batch. */
export interface HotCommit {
  /**
   * Set when the connection was lost while the commit was on its way, with the reason: all of the batch is stored or
   * none of it, and only the positions tell which.
   */
  readonly doubt: MarketDataError | undefined;
  readonly tick: number;
  readonly orderbook: number;
  readonly gap: number;
  /** Ticks that the store already had, with the same content. */
  readonly duplicates: number;
  readonly refused: readonly RefusedRow[];
}

/**
 * The hot store as `HotRecorder` uses it. Every call is one attempt, and fails with a retryable `MarketDataError`
 * when the store cannot answer; waiting is the recorder's business.
 */
export interface HotStore {
  /** The partition's position; one that is absent is made at `beginning` of the log `logId`. */
  openPosition(
    partition: TopicPartition,
    logId: string,
    beginning: bigint,
    signal: AbortSignal,
  ): Promise<StoredPosition>;
  /** The positions as they stand once no transaction is about to move them. In the order asked for. */
  readPositions(
    partitions: readonly TopicPartition[],
    signal: AbortSignal,
  ): Promise<readonly (StoredPosition | undefined)[]>;
  /**
   * Stores a batch and moves its positions in one transaction.
   *
   * @param bury called between the comparison of the positions and the commit, with the rows that the store cannot
   * take; there may be none. When it fails, nothing is stored.
   * @throws {MarketDataError} `STORE_POSITION_MOVED` when a position is not where the batch begins: another writer
   * was there. Nothing is stored then.
   */
  commit(
    batch: HotBatch,
    bury: (refused: readonly RefusedRow[]) => Promise<void>,
    signal: AbortSignal,
  ): Promise<HotCommit>;
}
