import type { HotRow, RefusedRow } from '@aipx/recording';
import { copyChunks, type CopyFormat } from './copy-text.js';
import { isRowRefusal } from './database-error.js';
import type { Session } from './session.js';

/** What became of some rows. Stored + duplicates + refused = rows. */
export interface RowsOutcome {
  readonly stored: number;
  readonly duplicates: number;
  readonly refused: readonly RefusedRow[];
}

/** One way to bring rows into a table, all of them or none. */
export type StoreRows<Row> = (session: Session, rows: readonly Row[]) => Promise<RowsOutcome>;

/** Copies straight into the table. */
export async function copyRows<Row>(session: Session, format: CopyFormat<Row>, rows: readonly Row[]): Promise<number> {
  const statement = `COPY ${format.table} (${format.columns.join(', ')}) FROM STDIN`;
  return session.copyIn(statement, copyChunks(rows, format.line));
}

/**
 * Stores rows inside a transaction. Rows that the database refuses are found by halving and left out, so that one bad
 * row costs its neighbours nothing but a few more tries.
 */
export async function storeAround<Row extends HotRow>(
  session: Session,
  rows: readonly Row[],
  store: StoreRows<Row>,
): Promise<RowsOutcome> {
  const [first] = rows;
  if (first === undefined) return { stored: 0, duplicates: 0, refused: [] };
  try {
    return await inSavepoint(session, () => store(session, rows));
  } catch (error) {
    if (!isRowRefusal(error)) throw error;
    if (rows.length === 1) {
      const message = `the database refuses the record: ${error.message} (SQLSTATE ${error.code ?? 'unknown'})`;
      return { stored: 0, duplicates: 0, refused: [{ row: first, reason: 'STORE_REFUSED', message }] };
    }
  }
  const half = rows.length >> 1;
  const one = await storeAround(session, rows.slice(0, half), store);
  const other = await storeAround(session, rows.slice(half), store);
  return {
    stored: one.stored + other.stored,
    duplicates: one.duplicates + other.duplicates,
    refused: [...one.refused, ...other.refused],
  };
}

/** Undoes what the action did when it fails, so that the transaction can go on. */
export async function inSavepoint<Result>(session: Session, action: () => Promise<Result>): Promise<Result> {
  await session.query('SAVEPOINT rows');
  try {
    const result = await action();
    await session.query('RELEASE SAVEPOINT rows');
    return result;
  } catch (error) {
    if (isRowRefusal(error)) {
      await session.query('ROLLBACK TO SAVEPOINT rows');
      await session.query('RELEASE SAVEPOINT rows');
    }
    throw error;
  }
}
