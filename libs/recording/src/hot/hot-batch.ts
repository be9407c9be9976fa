import { MarketDataError, type Gap, type OrderBook, type Tick } from '@aipx/market-model';
import type { DeadRecord } from '../dead-letters.js';
import type { HotBatch, HotRow, RefusedRow } from './hot-store.js';
import type { QueueHead } from './partition-queue.js';

/** What goes into the store of some heads: the rows by table, and every position. */
export function hotBatch(logId: string, heads: readonly QueueHead[]): HotBatch {
  const ticks: HotRow<Tick>[] = [];
  const books: HotRow<OrderBook>[] = [];
  const gaps: HotRow<Gap>[] = [];
  for (const { items } of heads) {
    for (const item of items) {
      if (!('row' in item)) continue;
      const { event } = item.row;
      if (event.kind === 'tick') ticks.push(item.row as HotRow<Tick>);
      else if (event.kind === 'orderbook') books.push(item.row as HotRow<OrderBook>);
      else gaps.push(item.row as HotRow<Gap>);
    }
  }
  return { logId, moves: heads.map(({ move }) => move), ticks, books, gaps };
}

export function undecodable({ items }: QueueHead): DeadRecord[] {
  return items.flatMap((item) =>
    'row' in item ? [] : [{ record: item.record, reason: item.error.code, message: item.error.message }],
  );
}

/** @throws {MarketDataError} `STORE_REFUSED` for a row of our own, which has no record that could be kept instead */
export function letterFor({ row, reason, message }: RefusedRow): DeadRecord {
  if (row.record !== undefined) return { record: row.record, reason, message };
  throw new MarketDataError(
    'STORE_REFUSED',
    `the Gap for what retention took of ${row.topic}/${row.partition}: ${message}`,
  );
}
