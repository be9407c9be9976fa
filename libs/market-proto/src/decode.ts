import type { MarketEvent } from '@aipx/market-model';
import { decodeGap } from './gap.js';
import { decodeOrderBook } from './order-book.js';
import { decodeTick } from './tick.js';

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
