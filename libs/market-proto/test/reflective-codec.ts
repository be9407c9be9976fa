import {
  isDecimal,
  MarketDataError,
  validOrderBook,
  validTick,
  type Decimal,
  type Gap,
  type MarketEvent,
  type OrderBook,
  type Tick,
} from '@aipx/market-model';
import { create, fromBinary, toBinary, type DescMessage, type MessageShape } from '@bufbuild/protobuf';
import { channels, gapCauses, sides, streamTypes } from '../src/enums.js';
import { GapSchema } from '../src/gen/aipx/market/v1/gap_pb.js';
import { LevelSchema, OrderBookSchema } from '../src/gen/aipx/market/v1/orderbook_pb.js';
import { TickDataSchema } from '../src/gen/aipx/market/v1/tick_pb.js';

/** What the codec must come to: the same by Protobuf-ES and the generated types, which know every rule of the format. */
export function encodeByReflection(event: MarketEvent): Uint8Array {
  switch (event.kind) {
    case 'tick':
      return toBinary(
        TickDataSchema,
        create(TickDataSchema, {
          ...event,
          change: event.change ?? '',
          changeRate: event.changeRate ?? '',
          side: sides.toWire(event.side),
          streamType: streamTypes.toWire(event.streamType),
        }),
      );
    case 'orderbook':
      return toBinary(
        OrderBookSchema,
        create(OrderBookSchema, {
          ...event,
          bids: event.bids.map((level) => create(LevelSchema, level)),
          asks: event.asks.map((level) => create(LevelSchema, level)),
          streamType: streamTypes.toWire(event.streamType),
          totalBidQuantity: event.totalBidQuantity ?? '',
          totalAskQuantity: event.totalAskQuantity ?? '',
        }),
      );
    case 'gap':
      return toBinary(
        GapSchema,
        create(GapSchema, {
          ...event,
          channel: channels.toWire(event.channel),
          cause: gapCauses.toWire(event.cause),
          missedVolume: event.missedVolume ?? '',
        }),
      );
  }
}

export function decodeByReflection(kind: MarketEvent['kind'], bytes: Uint8Array): MarketEvent {
  switch (kind) {
    case 'tick':
      return tickOf(parse(TickDataSchema, bytes));
    case 'orderbook':
      return bookOf(parse(OrderBookSchema, bytes));
    case 'gap':
      return gapOf(parse(GapSchema, bytes));
  }
}

function tickOf(message: MessageShape<typeof TickDataSchema>): Tick {
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

function bookOf(message: MessageShape<typeof OrderBookSchema>): OrderBook {
  const levelOf = ({ price, quantity }: MessageShape<typeof LevelSchema>) => ({
    price: decimal('Level.price', price),
    quantity: decimal('Level.quantity', quantity),
  });
  return validOrderBook({
    kind: 'orderbook',
    exchange: required('OrderBook.exchange', message.exchange),
    symbol: message.symbol,
    bids: message.bids.map(levelOf),
    asks: message.asks.map(levelOf),
    timestamp: message.timestamp,
    receivedTimestamp: message.receivedTimestamp,
    streamType: streamTypes.fromWire(message.streamType),
    totalBidQuantity: optionalDecimal('OrderBook.total_bid_quantity', message.totalBidQuantity),
    totalAskQuantity: optionalDecimal('OrderBook.total_ask_quantity', message.totalAskQuantity),
  });
}

function gapOf(message: MessageShape<typeof GapSchema>): Gap {
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
  if (isDecimal(text)) return text;
  const shown = JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}… (${text.length} characters)` : text);
  throw new MarketDataError('VALIDATION_RECORD', `${field} is ${shown}; expected canonical decimal text`);
}

function optionalDecimal(field: string, text: string): Decimal | undefined {
  return text === '' ? undefined : decimal(field, text);
}

function required(field: string, text: string): string {
  if (text === '') throw new MarketDataError('VALIDATION_RECORD', `${field} is empty`);
  return text;
}
