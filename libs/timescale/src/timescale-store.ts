import type { TopicPartition } from '@aipx/event-log';
import { MarketDataError } from '@aipx/market-model';
import type { HotBatch, HotCommit, HotRow, HotStore, RefusedRow, StoredPosition } from '@aipx/recording';
import { BOOKS, GAPS, type CopyFormat } from './copy-text.js';
import type { DatabaseAddress } from './database-address.js';
import { Database } from './database.js';
import { createPosition, lockPositions, movePositions } from './positions.js';
import type { Session } from './session.js';
import { copyRows, storeAround, type StoreRows } from './store-rows.js';
import { storeTicks } from './store-ticks.js';

export interface TimescaleStoreOptions {
  /** Shown in `pg_stat_activity`. @default 'aipx-hot' */
  readonly applicationName?: string;
  /** A statement that takes longer is cut off together with its connection, in ms. @default 60000 */
  readonly statementTimeoutMs?: number;
  /** Connections at most. One for each writer of the recorder, and one for partitions that are assigned meanwhile. @default 4 */
  readonly poolSize?: number;
  /**
   * Failures in a row after which all connections are given up and the host's name is looked up again: a failover may
   * have moved it. Not when to give up: nothing ever is. @default 3
   */
  readonly maxRetries?: number;
}

/** The positions' `sink` column. */
const SINK = 'hot';

/**
 * The hot store in a PostgreSQL or TimescaleDB that `migrate` has prepared. Connects when it is first used; a
 * connection that fails is replaced at the next call.
 */
export class TimescaleStore implements HotStore {
  readonly #database: Database;

  constructor(address: DatabaseAddress, options: TimescaleStoreOptions = {}) {
    const { applicationName = 'aipx-hot', statementTimeoutMs = 60_000, poolSize = 4, maxRetries = 3 } = options;
    this.#database = new Database(address, { applicationName, statementTimeoutMs, poolSize, maxRetries });
  }

  async openPosition(
    partition: TopicPartition,
    logId: string,
    beginning: bigint,
    signal: AbortSignal,
  ): Promise<StoredPosition> {
    return this.#database.use(signal, async (session) => {
      await createPosition(session, SINK, partition, logId, beginning);
      const [position] = await lockPositions(session, SINK, [partition]);
      if (position !== undefined) return position;
      const { topic, partition: index } = partition;
      throw new MarketDataError('STORE_UNAVAILABLE', `the position of ${topic}/${index} was deleted`, {
        retryable: true,
      });
    });
  }

  async readPositions(
    partitions: readonly TopicPartition[],
    signal: AbortSignal,
  ): Promise<readonly (StoredPosition | undefined)[]> {
    return this.#database.use(signal, (session) => lockPositions(session, SINK, partitions));
  }

  async commit(
    batch: HotBatch,
    bury: (refused: readonly RefusedRow[]) => Promise<void>,
    signal: AbortSignal,
  ): Promise<HotCommit> {
    return this.#database.use(signal, async (session) => {
      await session.query('BEGIN');
      await movePositions(session, SINK, batch);
      const ticks = await storeAround(session, batch.ticks, storeTicks);
      const books = await storeAround(session, batch.books, copying(BOOKS));
      const gaps = await storeAround(session, batch.gaps, copying(GAPS));
      const refused = [...ticks.refused, ...books.refused, ...gaps.refused];
      await bury(refused);
      return {
        doubt: await commitOf(session),
        tick: ticks.stored,
        orderbook: books.stored,
        gap: gaps.stored,
        duplicates: ticks.duplicates,
        refused,
      };
    });
  }

  /** Ends the connections that are not in use. */
  async close(): Promise<void> {
    await this.#database.close();
  }
}

function copying<Row extends HotRow>(format: CopyFormat<Row>): StoreRows<Row> {
  return async (session, rows) => ({ stored: await copyRows(session, format, rows), duplicates: 0, refused: [] });
}

/**
 * Commits. Resolves with why nobody can tell whether it did: whatever goes wrong here, the server may have committed.
 *
 * @throws {MarketDataError} `STORE_UNAVAILABLE` when the server says that it rolled back
 */
async function commitOf(session: Session): Promise<MarketDataError | undefined> {
  let answer: string;
  try {
    answer = (await session.query('COMMIT')).command;
  } catch (cause) {
    session.cut();
    const message = `the connection was lost around a COMMIT: ${cause instanceof Error ? cause.message : String(cause)}`;
    return new MarketDataError('STORE_UNAVAILABLE', message, { cause, retryable: true });
  }
  if (answer === 'COMMIT') return undefined;
  throw new MarketDataError('STORE_UNAVAILABLE', `the server answered COMMIT with ${answer}`, { retryable: true });
}
