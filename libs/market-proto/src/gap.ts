import type { Gap } from '@aipx/market-model';
import { NO_DECIMAL, optionalDecimal, parse } from './checks.js';
import { channels, gapCauses } from './enums.js';
import { EVENT_SCHEMAS } from './topics.js';
import type { WireReader } from './wire-reader.js';
import type { WireWriter } from './wire-writer.js';

/** The numbers in `proto/aipx/market/v1/gap.proto`. */
export const GAP_FIELDS = {
  exchange: 1,
  symbol: 2,
  channel: 3,
  from: 4,
  to: 5,
  cause: 6,
  missed: 7,
  detail: 9,
  missedVolume: 10,
} as const;

export function writeGap(writer: WireWriter, gap: Gap): void {
  writer.text(GAP_FIELDS.exchange, gap.exchange);
  writer.text(GAP_FIELDS.symbol, gap.symbol);
  writer.enum(GAP_FIELDS.channel, channels.toWire(gap.channel));
  writer.int64(GAP_FIELDS.from, gap.from);
  writer.int64(GAP_FIELDS.to, gap.to);
  writer.enum(GAP_FIELDS.cause, gapCauses.toWire(gap.cause));
  writer.uint64(GAP_FIELDS.missed, gap.missed);
  writer.text(GAP_FIELDS.detail, gap.detail);
  writer.text(GAP_FIELDS.missedVolume, gap.missedVolume ?? '');
}

export function decodeGap(bytes: Uint8Array): Gap {
  const message = parse(EVENT_SCHEMAS.gap, bytes, readGap);
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

function readGap(reader: WireReader, end: number) {
  const message = {
    exchange: '',
    symbol: '',
    channel: 0,
    from: 0n,
    to: 0n,
    cause: 0,
    missed: 0n,
    detail: '',
    missedVolume: NO_DECIMAL,
  };
  while (reader.isBefore(end)) {
    switch (reader.field()) {
      case GAP_FIELDS.exchange:
        message.exchange = reader.text();
        break;
      case GAP_FIELDS.symbol:
        message.symbol = reader.text();
        break;
      case GAP_FIELDS.channel:
        message.channel = reader.enum();
        break;
      case GAP_FIELDS.from:
        message.from = reader.int64();
        break;
      case GAP_FIELDS.to:
        message.to = reader.int64();
        break;
      case GAP_FIELDS.cause:
        message.cause = reader.enum();
        break;
      case GAP_FIELDS.missed:
        message.missed = reader.uint64();
        break;
      case GAP_FIELDS.detail:
        message.detail = reader.text();
        break;
      case GAP_FIELDS.missedVolume:
        message.missedVolume = reader.decimal();
        break;
      default:
        reader.skip();
    }
  }
  return message;
}
