import { validTick, type Tick } from '@aipx/market-model';
import { decimal, NO_DECIMAL, optionalDecimal, parse, required } from './checks.js';
import { sides, streamTypes } from './enums.js';
import { EVENT_SCHEMAS } from './topics.js';
import type { WireReader } from './wire-reader.js';
import type { WireWriter } from './wire-writer.js';

/** The numbers in `proto/aipx/market/v1/tick.proto`. */
export const TICK_FIELDS = {
  symbol: 1,
  price: 2,
  volume: 3,
  timestamp: 4,
  change: 5,
  changeRate: 6,
  exchange: 7,
  side: 8,
  tradeId: 9,
  receivedTimestamp: 10,
  streamType: 11,
} as const;

export function writeTick(writer: WireWriter, tick: Tick): void {
  writer.text(TICK_FIELDS.symbol, tick.symbol);
  writer.text(TICK_FIELDS.price, tick.price);
  writer.text(TICK_FIELDS.volume, tick.volume);
  writer.int64(TICK_FIELDS.timestamp, tick.timestamp);
  writer.text(TICK_FIELDS.change, tick.change ?? '');
  writer.text(TICK_FIELDS.changeRate, tick.changeRate ?? '');
  writer.text(TICK_FIELDS.exchange, tick.exchange);
  writer.enum(TICK_FIELDS.side, sides.toWire(tick.side));
  writer.text(TICK_FIELDS.tradeId, tick.tradeId);
  writer.int64(TICK_FIELDS.receivedTimestamp, tick.receivedTimestamp);
  writer.enum(TICK_FIELDS.streamType, streamTypes.toWire(tick.streamType));
}

export function decodeTick(bytes: Uint8Array): Tick {
  const message = parse(EVENT_SCHEMAS.tick, bytes, readTickData);
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

function readTickData(reader: WireReader, end: number) {
  const message = {
    symbol: '',
    price: NO_DECIMAL,
    volume: NO_DECIMAL,
    timestamp: 0n,
    change: NO_DECIMAL,
    changeRate: NO_DECIMAL,
    exchange: '',
    side: 0,
    tradeId: '',
    receivedTimestamp: 0n,
    streamType: 0,
  };
  while (reader.isBefore(end)) {
    switch (reader.field()) {
      case TICK_FIELDS.symbol:
        message.symbol = reader.text();
        break;
      case TICK_FIELDS.price:
        message.price = reader.decimal();
        break;
      case TICK_FIELDS.volume:
        message.volume = reader.decimal();
        break;
      case TICK_FIELDS.timestamp:
        message.timestamp = reader.int64();
        break;
      case TICK_FIELDS.change:
        message.change = reader.decimal();
        break;
      case TICK_FIELDS.changeRate:
        message.changeRate = reader.decimal();
        break;
      case TICK_FIELDS.exchange:
        message.exchange = reader.text();
        break;
      case TICK_FIELDS.side:
        message.side = reader.enum();
        break;
      case TICK_FIELDS.tradeId:
        message.tradeId = reader.text();
        break;
      case TICK_FIELDS.receivedTimestamp:
        message.receivedTimestamp = reader.int64();
        break;
      case TICK_FIELDS.streamType:
        message.streamType = reader.enum();
        break;
      default:
        reader.skip();
    }
  }
  return message;
}
