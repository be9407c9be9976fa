import type { BookRecord, Records, TradeRecord } from './records.ts';

/** One market's figures. */
export interface Row {
  readonly market: string;
  /** Different trades sent, and how many of them ccxt returned. */
  readonly trades: number;
  readonly seen: number;
  readonly missing: number;
  /** Returned by ccxt, never sent. */
  readonly unknown: number;
  /** Returned with another price, amount, side or time. */
  readonly altered: number;
  /** Returned more often than it was sent; the trade of a snapshot is sent again with each subscription. */
  readonly doubled: number;
  readonly books: number;
  /** ccxt returns the present book, so of several that arrive together only the last. */
  readonly booksSeen: number;
  /** Returned books that equal none sent at their time, level for level. */
  readonly booksAltered: number;
  /** Whether the last book ccxt returned is the last one sent. */
  readonly lastBook: boolean;
}

/** What was sent against what ccxt saw, by market. */
export function compare(sent: Records, seen: Records): readonly Row[] {
  const markets = [...new Set([...sent.trades, ...sent.books].map(({ symbol }) => symbol))].sort();
  return markets.map((market) => ({
    market,
    ...compareTrades(of(market, sent.trades), of(market, seen.trades)),
    ...compareBooks(of(market, sent.books), of(market, seen.books)),
  }));
}

/** Whether nothing was lost, made up, changed or doubled, and every market had something to say. */
export function isSound(row: Row): boolean {
  const faults = row.missing + row.unknown + row.altered + row.doubled + row.booksAltered;
  return faults === 0 && row.lastBook && row.seen > 0 && row.booksSeen > 0;
}

function of<T extends { readonly symbol: string }>(market: string, records: readonly T[]): readonly T[] {
  return records.filter(({ symbol }) => symbol === market);
}

function compareTrades(sent: readonly TradeRecord[], seen: readonly TradeRecord[]) {
  const sentById = Map.groupBy(sent, ({ id }) => id);
  const seenById = Map.groupBy(seen, ({ id }) => id);
  const ids = [...seenById];
  return {
    trades: sentById.size,
    seen: ids.filter(([id]) => sentById.has(id)).length,
    missing: [...sentById.keys()].filter((id) => !seenById.has(id)).length,
    unknown: ids.filter(([id]) => !sentById.has(id)).length,
    altered: seen.filter((trade) => sentById.has(trade.id) && !sentById.get(trade.id)?.some((one) => same(one, trade)))
      .length,
    doubled: ids.filter(([id, copies]) => copies.length > (sentById.get(id)?.length ?? copies.length)).length,
  };
}

function same(a: TradeRecord, b: TradeRecord): boolean {
  return a.price === b.price && a.amount === b.amount && a.side === b.side && a.timestamp === b.timestamp;
}

function compareBooks(sent: readonly BookRecord[], seen: readonly BookRecord[]) {
  const shapes = new Set(sent.map(shape));
  const [lastSent, lastSeen] = [sent.at(-1), seen.at(-1)];
  return {
    books: sent.length,
    booksSeen: seen.length,
    booksAltered: seen.filter((book) => !shapes.has(shape(book))).length,
    lastBook: lastSent !== undefined && lastSeen !== undefined && shape(lastSent) === shape(lastSeen),
  };
}

/** Time and every level, as one text. */
function shape({ timestamp, bids, asks }: BookRecord): string {
  return JSON.stringify([timestamp, bids, asks]);
}
