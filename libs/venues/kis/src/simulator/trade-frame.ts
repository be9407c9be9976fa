import type { Level } from './book.js';
import type { DayTotals } from './totals.js';

/** One trade of one symbol, and the state of its session with it. Prices in KRW, sizes in shares. */
export interface TradeFacts {
  readonly code: string;
  /** HHMMSS and YYYYMMDD, KST. */
  readonly time: string;
  readonly date: string;
  readonly price: number;
  readonly size: number;
  /** Code of the taker's side: 1 buy, 3 before the open, 5 sell. */
  readonly side: string;
  readonly previousClose: number;
  readonly limits: { readonly upper: number; readonly lower: number };
  readonly totals: Readonly<Pick<DayTotals, keyof DayTotals>>;
  readonly averagePrice: number;
  /** 0 to 1. */
  readonly buyRatio: number;
  readonly previousVolume: number;
  readonly previousVolumeByNow: number;
  readonly listedShares: number;
  readonly ask: Level;
  readonly bid: Level;
  readonly totalAsk: number;
  readonly totalBid: number;
  readonly operation: string;
  readonly halted: boolean;
  readonly hourClass: string;
  /** Reference price of the static volatility interruption. */
  readonly viReference: number;
  readonly marketClass: string;
}

/**
 * The documented fields of a trade record, in their order; `missing` is what stands for a value the venue does not have.
 * The average and the buy ratio are given, for the wire does not always derive them from the same record.
 */
export function tradeFields(trade: TradeFacts, missing: string): string[] {
  const { price, previousClose, totals } = trade;
  return [
    trade.code,
    trade.time,
    String(price),
    signOfDay(trade),
    String(price - previousClose),
    percent(price - previousClose, previousClose),
    trade.averagePrice.toFixed(2),
    String(totals.open.price),
    String(totals.high.price),
    String(totals.low.price),
    String(trade.ask.price),
    String(trade.bid.price),
    String(trade.size),
    String(totals.volume),
    String(totals.turnover),
    String(totals.sellCount),
    String(totals.buyCount),
    String(totals.buyCount - totals.sellCount),
    percent(totals.buyVolume, totals.sellVolume),
    String(totals.sellVolume),
    String(totals.buyVolume),
    trade.side,
    trade.buyRatio.toFixed(2),
    percent(totals.volume, trade.previousVolume),
    ...against(price, totals.open, missing),
    ...against(price, totals.high, missing),
    ...against(price, totals.low, missing),
    trade.date,
    trade.operation,
    trade.halted ? 'Y' : 'N',
    String(trade.ask.size),
    String(trade.bid.size),
    String(trade.totalAsk),
    String(trade.totalBid),
    percent(totals.volume, trade.listedShares),
    String(trade.previousVolumeByNow),
    percent(totals.volume, trade.previousVolumeByNow),
    trade.hourClass,
    missing,
    String(trade.viReference),
    trade.marketClass,
  ];
}

/** A share in percent with two decimals; of nothing it is zero. */
export function percent(part: number, whole: number): string {
  return whole === 0 ? '0.00' : ((part / whole) * 100).toFixed(2);
}

/** 2 up, 3 flat, 5 down. */
export function sign(difference: number): string {
  return difference > 0 ? '2' : difference < 0 ? '5' : '3';
}

function signOfDay({ price, previousClose, limits }: TradeFacts): string {
  if (price === limits.upper) return '1';
  return price === limits.lower ? '4' : sign(price - previousClose);
}

function against(price: number, mark: DayTotals['open'], missing: string): readonly string[] {
  return mark.price === 0 ? [missing, '3', '0'] : [mark.time, sign(price - mark.price), String(price - mark.price)];
}
