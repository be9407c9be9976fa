import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import type { BookRecord, Level, Records, TradeRecord } from './records.ts';

/** ccxt keeps as many levels of an Upbit book. */
const CCXT_LEVELS = 15;

/** What the simulator sent, read from the frames in its journal: every number as `JSON.parse` reads it. */
export async function readJournal(path: string): Promise<Records> {
  const trades: TradeRecord[] = [];
  const books: BookRecord[] = [];
  for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) {
    const { frame, ref, channel } = JSON.parse(line) as { frame: string; ref: string; channel: string };
    if (channel === 'tick') trades.push(tradeOf(JSON.parse(frame) as TradeFrame, ref));
    else books.push(bookOf(JSON.parse(frame) as BookFrame));
  }
  return { trades, books };
}

interface TradeFrame {
  readonly code: string;
  readonly timestamp: number;
  readonly trade_price: number;
  readonly trade_volume: number;
  readonly ask_bid: 'ASK' | 'BID';
  readonly stream_type: string;
}

interface BookFrame {
  readonly code: string;
  readonly timestamp: number;
  readonly orderbook_units: readonly {
    readonly ask_price: number;
    readonly ask_size: number;
    readonly bid_price: number;
    readonly bid_size: number;
  }[];
}

/** The id comes from the journal's own field: as a number it would not survive. */
function tradeOf(frame: TradeFrame, id: string): TradeRecord {
  return {
    symbol: frame.code,
    id,
    price: frame.trade_price,
    amount: frame.trade_volume,
    side: frame.ask_bid === 'BID' ? 'buy' : 'sell',
    timestamp: frame.timestamp,
    snapshot: frame.stream_type === 'SNAPSHOT',
  };
}

function bookOf({ code, timestamp, orderbook_units: units }: BookFrame): BookRecord {
  const real = ([price, amount]: Level): boolean => price > 0 && amount > 0;
  return {
    symbol: code,
    timestamp,
    bids: units
      .map((unit): Level => [unit.bid_price, unit.bid_size])
      .filter(real)
      .slice(0, CCXT_LEVELS),
    asks: units
      .map((unit): Level => [unit.ask_price, unit.ask_size])
      .filter(real)
      .slice(0, CCXT_LEVELS),
  };
}
