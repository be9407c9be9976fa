import { validOrderBook, type Level, type OrderBook } from '@aipx/market-model';
import { decimal, NO_DECIMAL, optionalDecimal, parse, required } from './checks.js';
import { streamTypes } from './enums.js';
import { EVENT_SCHEMAS } from './topics.js';
import type { WireDecimal, WireReader } from './wire-reader.js';
import type { WireWriter } from './wire-writer.js';

/** The numbers in `proto/aipx/market/v1/orderbook.proto`. */
export const ORDER_BOOK_FIELDS = {
  symbol: 1,
  bids: 2,
  asks: 3,
  timestamp: 4,
  exchange: 5,
  receivedTimestamp: 6,
  streamType: 7,
  totalBidQuantity: 8,
  totalAskQuantity: 9,
} as const;

export const LEVEL_FIELDS = { price: 1, quantity: 2 } as const;

export function writeOrderBook(writer: WireWriter, book: OrderBook): void {
  writer.text(ORDER_BOOK_FIELDS.symbol, book.symbol);
  for (const level of book.bids) writeLevel(writer, ORDER_BOOK_FIELDS.bids, level);
  for (const level of book.asks) writeLevel(writer, ORDER_BOOK_FIELDS.asks, level);
  writer.int64(ORDER_BOOK_FIELDS.timestamp, book.timestamp);
  writer.text(ORDER_BOOK_FIELDS.exchange, book.exchange);
  writer.int64(ORDER_BOOK_FIELDS.receivedTimestamp, book.receivedTimestamp);
  writer.enum(ORDER_BOOK_FIELDS.streamType, streamTypes.toWire(book.streamType));
  writer.text(ORDER_BOOK_FIELDS.totalBidQuantity, book.totalBidQuantity ?? '');
  writer.text(ORDER_BOOK_FIELDS.totalAskQuantity, book.totalAskQuantity ?? '');
}

function writeLevel(writer: WireWriter, field: number, level: Level): void {
  const start = writer.beginNested(field);
  writer.text(LEVEL_FIELDS.price, level.price);
  writer.text(LEVEL_FIELDS.quantity, level.quantity);
  writer.endNested(start);
}

export function decodeOrderBook(bytes: Uint8Array): OrderBook {
  const message = parse(EVENT_SCHEMAS.orderbook, bytes, readOrderBook);
  return validOrderBook({
    kind: 'orderbook',
    exchange: required('OrderBook.exchange', message.exchange),
    symbol: message.symbol,
    bids: checkedLevels(message.bids),
    asks: checkedLevels(message.asks),
    timestamp: message.timestamp,
    receivedTimestamp: message.receivedTimestamp,
    streamType: streamTypes.fromWire(message.streamType),
    totalBidQuantity: optionalDecimal('OrderBook.total_bid_quantity', message.totalBidQuantity),
    totalAskQuantity: optionalDecimal('OrderBook.total_ask_quantity', message.totalAskQuantity),
  });
}

/** A level as it was read: possibly no decimal text. */
interface WireLevel {
  price: WireDecimal;
  quantity: WireDecimal;
}

function checkedLevels(levels: readonly WireLevel[]): readonly Level[] {
  for (const level of levels) {
    decimal('Level.price', level.price);
    decimal('Level.quantity', level.quantity);
  }
  return levels as readonly Level[];
}

function readOrderBook(reader: WireReader, end: number) {
  const message = {
    symbol: '',
    bids: [] as WireLevel[],
    asks: [] as WireLevel[],
    timestamp: 0n,
    exchange: '',
    receivedTimestamp: 0n,
    streamType: 0,
    totalBidQuantity: NO_DECIMAL,
    totalAskQuantity: NO_DECIMAL,
  };
  while (reader.isBefore(end)) {
    switch (reader.field()) {
      case ORDER_BOOK_FIELDS.symbol:
        message.symbol = reader.text();
        break;
      case ORDER_BOOK_FIELDS.bids:
        message.bids.push(readLevel(reader));
        break;
      case ORDER_BOOK_FIELDS.asks:
        message.asks.push(readLevel(reader));
        break;
      case ORDER_BOOK_FIELDS.timestamp:
        message.timestamp = reader.int64();
        break;
      case ORDER_BOOK_FIELDS.exchange:
        message.exchange = reader.text();
        break;
      case ORDER_BOOK_FIELDS.receivedTimestamp:
        message.receivedTimestamp = reader.int64();
        break;
      case ORDER_BOOK_FIELDS.streamType:
        message.streamType = reader.enum();
        break;
      case ORDER_BOOK_FIELDS.totalBidQuantity:
        message.totalBidQuantity = reader.decimal();
        break;
      case ORDER_BOOK_FIELDS.totalAskQuantity:
        message.totalAskQuantity = reader.decimal();
        break;
      default:
        reader.skip();
    }
  }
  return message;
}

function readLevel(reader: WireReader): WireLevel {
  const level: WireLevel = { price: NO_DECIMAL, quantity: NO_DECIMAL };
  const end = reader.nestedEnd();
  while (reader.isBefore(end)) {
    switch (reader.field()) {
      case LEVEL_FIELDS.price:
        level.price = reader.decimal();
        break;
      case LEVEL_FIELDS.quantity:
        level.quantity = reader.decimal();
        break;
      default:
        reader.skip(2);
    }
  }
  return level;
}
