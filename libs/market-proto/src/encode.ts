import type { MarketEvent } from '@aipx/market-model';
import { writeGap } from './gap.js';
import { writeOrderBook } from './order-book.js';
import { writeTick } from './tick.js';
import { WireWriter } from './wire-writer.js';

/** Encoding never waits and calls nobody, so one writer serves all. */
const writer = new WireWriter();

/**
 * The Protobuf bytes of an event: `TickData`, `OrderBook` or `Gap` as its kind says. Nobody writes to them any more. They
 * share a block of memory (Node.js' `Buffer.poolSize`) with others of the moment: whoever keeps a few of many for long
 * copies them, or keeps the blocks.
 *
 * @throws {MarketDataError} `VALIDATION_RECORD` for a time or a count that 64 bits cannot hold
 */
export function encodeEvent(event: MarketEvent): Uint8Array<ArrayBuffer> {
  writer.begin();
  write(event);
  return writer.finish();
}

function write(event: MarketEvent): void {
  switch (event.kind) {
    case 'tick':
      writeTick(writer, event);
      break;
    case 'orderbook':
      writeOrderBook(writer, event);
      break;
    case 'gap':
      writeGap(writer, event);
      break;
  }
}
