import type { Tick } from '@aipx/market-model';
import type { HotRow, RefusedRow } from '@aipx/recording';
import { TICKS, type CopyFormat } from './copy-text.js';
import { isUniqueViolation } from './database-error.js';
import type { Session } from './session.js';
import { copyRows, inSavepoint, type RowsOutcome } from './store-rows.js';

type TickRow = HotRow<Tick>;

const STAGING = 'tick_staging';
const STAGED_TICKS: CopyFormat<TickRow> = { ...TICKS, table: STAGING };
const COLUMNS = TICKS.columns.join(', ');

/** In the order of the log: of two trades with one key, the first is the one that is kept. */
const INSERT_NEW = `
  INSERT INTO tick_data (${COLUMNS}) SELECT ${COLUMNS} FROM ${STAGING} ORDER BY log_partition, log_offset
  ON CONFLICT (exchange, symbol, trade_id, time) DO NOTHING`;

/** LIMIT keeps the planner at one look into the index a row, however little it knows of the staging table. */
const SELECT_CONFLICTS = `
  SELECT staged.log_partition, staged.log_offset, stored.price, stored.volume, stored.side
  FROM ${STAGING} staged CROSS JOIN LATERAL (
    SELECT price, volume, side FROM tick_data t
    WHERE t.exchange = staged.exchange AND t.symbol = staged.symbol AND t.trade_id = staged.trade_id AND t.time = staged.time
    LIMIT 1
  ) stored
  WHERE stored.price <> staged.price OR stored.volume <> staged.volume OR stored.side IS DISTINCT FROM staged.side`;

/**
 * Stores ticks, without those that are there already. Venues repeat trades rarely, so they are copied straight into
 * the table first; only when one is there already do they take the way around.
 */
export async function storeTicks(session: Session, rows: readonly TickRow[]): Promise<RowsOutcome> {
  try {
    const stored = await inSavepoint(session, () => copyRows(session, TICKS, rows));
    return { stored, duplicates: 0, refused: [] };
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    return storeNewTicks(session, rows);
  }
}

async function storeNewTicks(session: Session, rows: readonly TickRow[]): Promise<RowsOutcome> {
  await session.query(`CREATE TEMPORARY TABLE IF NOT EXISTS ${STAGING} (LIKE tick_data) ON COMMIT DELETE ROWS`);
  await session.query(`TRUNCATE ${STAGING}`);
  await copyRows(session, STAGED_TICKS, rows);
  const { rowCount } = await session.query(INSERT_NEW);
  const stored = rowCount ?? 0;
  const refused = await conflicts(session, rows);
  return { stored, duplicates: rows.length - stored - refused.length, refused };
}

async function conflicts(session: Session, rows: readonly TickRow[]): Promise<RefusedRow[]> {
  const found = await session.query(SELECT_CONFLICTS);
  if (found.rows.length === 0) return [];
  const rowAt = new Map(rows.map((row) => [`${row.partition}/${row.record?.offset}`, row]));
  return found.rows.flatMap((stored) => {
    const row = rowAt.get(`${String(stored['log_partition'])}/${String(stored['log_offset'])}`);
    return row === undefined ? [] : [conflict(row, stored)];
  });
}

function conflict(row: TickRow, stored: Record<string, unknown>): RefusedRow {
  const { exchange, symbol, tradeId, price, volume, side } = row.event;
  const kept = `price ${String(stored['price'])}, volume ${String(stored['volume'])}, side ${String(stored['side'])}`;
  return {
    row,
    reason: 'VALIDATION_CONFLICT',
    message:
      `${exchange} ${symbol} trade ${tradeId}: has price ${price}, volume ${volume}, side ${side ?? 'null'}, ` +
      `and the stored one of the same id and time has ${kept}`,
  };
}
