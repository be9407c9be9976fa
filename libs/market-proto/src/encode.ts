import type { Gap, Level, MarketEvent, OrderBook, Tick } from '@aipx/market-model';
import { create, toBinary } from '@bufbuild/protobuf';
import { channels, gapCauses, sides, streamTypes } from './enums.js';
import { GapSchema } from './gen/aipx/market/v1/gap_pb.js';
import { LevelSchema, OrderBookSchema } from './gen/aipx/market/v1/orderbook_pb.js';
import { TickDataSchema } from './gen/aipx/market/v1/tick_pb.js';

/** The Protobuf bytes of an event: `TickData`, `OrderBook` or `Gap` as its kind says. */
export function encodeEvent(event: MarketEvent): Uint8Array<ArrayBuffer> {
  switch (event.kind) {
    case 'tick':
      return encodeTick(event);
    case 'orderbook':
      return encodeOrderBook(event);
    case 'gap':
      return encodeGap(event);
  }
}

function encodeTick(tick: Tick) {
  const message = create(TickDataSchema);
  message.symbol = tick.symbol;
  message.price = tick.price;
  message.volume = tick.volume;
  message.timestamp = tick.timestamp;
  message.change = tick.change ?? '';
  message.changeRate = tick.changeRate ?? '';
  message.exchange = tick.exchange;
  message.side = sides.toWire(tick.side);
  message.tradeId = tick.tradeId;
  message.receivedTimestamp = tick.receivedTimestamp;
  message.streamType = streamTypes.toWire(tick.streamType);
  return toBinary(TickDataSchema, message);
}

function encodeOrderBook(book: OrderBook) {
  const message = create(OrderBookSchema);
  message.symbol = book.symbol;
  message.bids = book.bids.map(level);
  message.asks = book.asks.map(level);
  message.timestamp = book.timestamp;
  message.exchange = book.exchange;
  message.receivedTimestamp = book.receivedTimestamp;
  message.streamType = streamTypes.toWire(book.streamType);
  message.totalBidQuantity = book.totalBidQuantity ?? '';
  message.totalAskQuantity = book.totalAskQuantity ?? '';
  return toBinary(OrderBookSchema, message);
}

function level({ price, quantity }: Level) {
  const message = create(LevelSchema);
  message.price = price;
  message.quantity = quantity;
  return message;
}

function encodeGap(gap: Gap) {
  const message = create(GapSchema);
  message.exchange = gap.exchange;
  message.symbol = gap.symbol;
  message.channel = channels.toWire(gap.channel);
  message.from = gap.from;
  message.to = gap.to;
  message.cause = gapCauses.toWire(gap.cause);
  message.missed = gap.missed;
  message.missedVolume = gap.missedVolume ?? '';
  message.detail = gap.detail;
  return toBinary(GapSchema, message);
}
