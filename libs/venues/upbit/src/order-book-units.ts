import { isPadding, type Decimal, type JsonCursor, type JsonListReaders, type Level } from '@aipx/market-model';
import { isObject, readDecimal, unreadable } from './message.js';

interface Unit {
  readonly ask_price?: unknown;
  readonly ap?: unknown;
  readonly ask_size?: unknown;
  readonly as?: unknown;
  readonly bid_price?: unknown;
  readonly bp?: unknown;
  readonly bid_size?: unknown;
  readonly bs?: unknown;
}

/** Both sides of a book, best first. */
export class BookSides {
  readonly bids: Level[] = [];
  readonly asks: Level[] = [];

  /** A side with fewer orders than the other is filled up with price 0 and size 0 (as seen on the wire). */
  addBid(price: Decimal, quantity: Decimal): void {
    if (!isPadding(price, quantity)) this.bids.push({ price, quantity });
  }

  addAsk(price: Decimal, quantity: Decimal): void {
    if (!isPadding(price, quantity)) this.asks.push({ price, quantity });
  }
}

/** @throws {MarketDataError} `VALIDATION_*`, naming the field and the value */
export function readUnits(units: unknown): BookSides {
  if (units instanceof BookSides) return units;
  if (!Array.isArray(units)) throw unreadable('orderbook_units', units, 'a list');
  const sides = new BookSides();
  for (const unit of units as readonly unknown[]) {
    if (!isObject<Unit>(unit)) throw unreadable('a unit of orderbook_units', unit, 'an object');
    sides.addBid(
      readDecimal(unit.bid_price ?? unit.bp, 'bid_price'),
      readDecimal(unit.bid_size ?? unit.bs, 'bid_size'),
    );
    sides.addAsk(
      readDecimal(unit.ask_price ?? unit.ap, 'ask_price'),
      readDecimal(unit.ask_size ?? unit.as, 'ask_size'),
    );
  }
  return sides;
}

/**
 * Four of five values of a book frame stand in its units: read while the frame is parsed, they become levels twice as
 * fast. Units of any other form than the usual one (four numbers) are left to `readUnits`, which knows what to say.
 */
function readUsualUnits(json: JsonCursor): BookSides | undefined {
  const sides = new BookSides();
  for (let more = json.hasFirst(); more; more = json.hasNext()) {
    if (!addUsualUnit(json, sides)) return undefined;
  }
  return sides;
}

function addUsualUnit(json: JsonCursor, sides: BookSides): boolean {
  let askPrice: Decimal | undefined;
  let askSize: Decimal | undefined;
  let bidPrice: Decimal | undefined;
  let bidSize: Decimal | undefined;
  let numbers = 0;
  for (let key = json.firstKey(); key !== undefined; key = json.nextKey()) {
    numbers += 1;
    switch (key) {
      case 'ap':
      case 'ask_price':
        askPrice = json.decimal();
        break;
      case 'as':
      case 'ask_size':
        askSize = json.decimal();
        break;
      case 'bp':
      case 'bid_price':
        bidPrice = json.decimal();
        break;
      case 'bs':
      case 'bid_size':
        bidSize = json.decimal();
        break;
      default:
        numbers -= 1;
        json.skip();
    }
  }
  if (askPrice === undefined || askSize === undefined || bidPrice === undefined || bidSize === undefined) return false;
  sides.addBid(bidPrice, bidSize);
  sides.addAsk(askPrice, askSize);
  // One that comes twice, in either spelling of its key, would have to win or lose by its spelling.
  return numbers === 4;
}

/** For `parseJsonKeepingDigits`. */
export const UNIT_LISTS: JsonListReaders = new Map([
  ['orderbook_units', readUsualUnits],
  ['obu', readUsualUnits],
]);
