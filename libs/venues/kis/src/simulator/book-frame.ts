import type { Level } from './book.js';
import type { Segment } from './phases.js';
import { percent, sign } from './trade-frame.js';

/** The price an auction would have if it ended now. */
export interface Expected {
  readonly price: number;
  readonly size: number;
}

/** One book of one symbol. Prices in KRW, sizes in shares. */
export interface BookFacts {
  readonly code: string;
  /** HHMMSS, KST; a book carries no date. */
  readonly time: string;
  readonly hourClass: string;
  /** Best first, ten at most. */
  readonly asks: readonly Level[];
  readonly bids: readonly Level[];
  readonly totalAsk: number;
  readonly totalBid: number;
  /** Absent outside of auctions. */
  readonly expected: Expected | undefined;
  /** Stands in the record outside of auctions too, and means nothing there. */
  readonly expectedVolume: number;
  readonly previousClose: number;
  readonly volume: number;
  readonly totalAskChange: number;
  readonly totalBidChange: number;
  readonly marketClass: string;
}

const LEVELS = 10;
const WITH_BOTH_MID_PRICES = 65;

/** The documented fields of a book record, in their order, with the tail of its segment. */
export function bookFields(book: BookFacts, segment: Segment, width: number, missing: string): string[] {
  const price = book.expected?.price ?? 0;
  return [
    book.code,
    book.time,
    book.hourClass,
    ...column(book.asks, 'price'),
    ...column(book.bids, 'price'),
    ...column(book.asks, 'size'),
    ...column(book.bids, 'size'),
    String(book.totalAsk),
    String(book.totalBid),
    '0',
    '0',
    String(price),
    String(book.expected?.size ?? 0),
    String(book.expectedVolume),
    // Outside of auctions the wire says minus the previous close, which is -100 %.
    String(price - book.previousClose),
    sign(price - book.previousClose),
    percent(price - book.previousClose, book.previousClose),
    String(book.volume),
    String(book.totalAskChange),
    String(book.totalBidChange),
    '0',
    '0',
    '0',
    ...tail(book, segment, width, missing),
  ];
}

/** Mid-price orders: the price between best ask and bid, nothing resting there. */
function tail({ asks, bids, marketClass }: BookFacts, segment: Segment, width: number, missing: string): string[] {
  const [ask] = asks;
  const [bid] = bids;
  const middle = [
    ask === undefined || bid === undefined ? '0' : String(Math.floor((ask.price + bid.price) / 2)),
    '0',
    missing,
  ];
  switch (segment) {
    case 'KRX':
      return [...middle, marketClass];
    case 'UN':
      return [...middle, ...middle, '1'];
    case 'NXT':
      // The portal and the samples disagree: 62 fields with NXT's mid price, or 65 with that of KRX before it.
      return width >= WITH_BOTH_MID_PRICES ? [...middle, ...middle] : middle;
  }
}

function column(levels: readonly Level[], of: keyof Level): string[] {
  return Array.from({ length: LEVELS }, (_, at) => String(levels[at]?.[of] ?? 0));
}
