import {
  isDecimal,
  MarketDataError,
  validOrderBook,
  validTick,
  type Decimal,
  type Gap,
  type Level,
  type MarketEvent,
  type OrderBook,
  type Tick,
} from '@aipx/market-model';
import { fromBinary, type DescMessage, type MessageShape } from '@bufbuild/protobuf';
import { channels, gapCauses, sides, streamTypes } from './enums.js';
import { GapSchema } from './gen/aipx/market/v1/gap_pb.js';
import { OrderBookSchema, type Level as WireLevel } from './gen/aipx/market/v1/orderbook_pb.js';
import { TickDataSchema } from './gen/aipx/market/v1/tick_pb.js';

/**
 * The event in Protobuf bytes. Whatever wrote them, the event keeps the model's rules when this returns.
 *
 * @throws {MarketDataError} `VALIDATION_RECORD` for bytes that are not the message or a field that is not decimal
 * text, `VALIDATION_TICK` and `VALIDATION_ORDERBOOK` for an event that breaks its rules
 */
export function decodeEvent(kind: MarketEvent['kind'], bytes: Uint8Array): MarketEvent {
  switch (kind) {
    case 'tick':
      return decodeTick(bytes);
    case 'orderbook':
      return decodeOrderBook(bytes);
    case 'gap':
      return decodeGap(bytes);
  }
}

function decodeTick(bytes: Uint8Array): Tick {
  const message = parse(TickDataSchema, bytes);
  return validTick({
    kind: 'tick',
    exchange: required('TickData.exchange', message.exchange),
    symbol: message.symbol,
    price: decimal('TickData.price', message.price),
    volume: decimal('TickData.volume', message.volume),
    timestamp: message.timestamp,
    change: optionalDecimal('TickData.change', message.change),
    changeRate: optionalDecimal('TickData.change_rate', message.changeRate),
    side: sides.fromWire(message.side),
    tradeId: message.tradeId,
    receivedTimestamp: message.receivedTimestamp,
    streamType: streamTypes.fromWire(message.streamType),
  });
}

function decodeOrderBook(bytes: Uint8Array): OrderBook {
  const message = parse(OrderBookSchema, bytes);
  return validOrderBook({
    kind: 'orderbook',
    exchange: required('OrderBook.exchange', message.exchange),
    symbol: message.symbol,
    bids: message.bids.map(level),
    asks: message.asks.map(level),
    timestamp: message.timestamp,
    receivedTimestamp: message.receivedTimestamp,
    streamType: streamTypes.fromWire(message.streamType),
    totalBidQuantity: optionalDecimal('OrderBook.total_bid_quantity', message.totalBidQuantity),
    totalAskQuantity: optionalDecimal('OrderBook.total_ask_quantity', message.totalAskQuantity),
  });
}

function level({ price, quantity }: WireLevel): Level {
  return { price: decimal('Level.price', price), quantity: decimal('Level.quantity', quantity) };
}

function decodeGap(bytes: Uint8Array): Gap {
  const message = parse(GapSchema, bytes);
  return {
    kind: 'gap',
    exchange: message.exchange,
    symbol: message.symbol,
    channel: channels.fromWire(message.channel),
    from: message.from,
    to: message.to,
    cause: gapCauses.fromWire(message.cause),
    missed: message.missed,
    missedVolume: optionalDecimal('Gap.missed_volume', message.missedVolume),
    detail: message.detail,
  };
}

function parse<Schema extends DescMessage>(schema: Schema, bytes: Uint8Array): MessageShape<Schema> {
  try {
    return fromBinary(schema, bytes);
  } catch (cause) {
    throw new MarketDataError('VALIDATION_RECORD', `${bytes.length} bytes are not a ${schema.typeName}`, { cause });
  }
}

function decimal(field: string, text: string): Decimal {
  if (!isDecimal(text)) throw badRecord(`${field} is ${shown(text)}; expected canonical decimal text`);
  return text;
}

function shown(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}… (${text.length} characters)` : text);
}

function optionalDecimal(field: string, text: string): Decimal | undefined {
  return text === '' ? undefined : decimal(field, text);
}

function required(field: string, text: string): string {
  if (text === '') throw badRecord(`${field} is empty`);
  return text;
}

function badRecord(message: string): MarketDataError {
  return new MarketDataError('VALIDATION_RECORD', message);
}
