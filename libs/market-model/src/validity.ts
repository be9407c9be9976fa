import { isPositive, isZero, wholeLength, type Decimal } from './decimal.js';
import { MarketDataError } from './error.js';
import type { Level, OrderBook, Tick } from './event.js';

/**
 * The rules every tick keeps: a symbol, an id, a venue time, price and volume above zero.
 *
 * @throws {MarketDataError} `VALIDATION_TICK`, naming the field and the value
 */
export function validTick(tick: Tick): Tick {
  const fault =
    (tick.symbol === '' && 'symbol is empty') ||
    (tick.tradeId === '' && 'trade id is empty') ||
    (tick.timestamp <= 0n && `time ${tick.timestamp} is not after 1970`) ||
    (!isPositive(tick.price) && `price ${tick.price} is not above 0`) ||
    (!isPositive(tick.volume) && `volume ${tick.volume} is not above 0`);
  if (fault) throw new MarketDataError('VALIDATION_TICK', `${tick.exchange} ${tick.symbol} tick: ${fault}`);
  return tick;
}

/**
 * The rules every book keeps: a symbol, a venue time, bids strictly descending, asks strictly ascending, no level
 * of price or quantity zero or below. A crossed book is the venue's business and passes.
 *
 * @throws {MarketDataError} `VALIDATION_ORDERBOOK`, naming the level
 */
export function validOrderBook(book: OrderBook): OrderBook {
  const fault =
    (book.symbol === '' && 'symbol is empty') ||
    (book.timestamp <= 0n && `time ${book.timestamp} is not after 1970`) ||
    levelFault('bid', book.bids) ||
    levelFault('ask', book.asks);
  if (fault) throw new MarketDataError('VALIDATION_ORDERBOOK', `${book.exchange} ${book.symbol} book: ${fault}`);
  return book;
}

function levelFault(side: 'bid' | 'ask', levels: readonly Level[]): string | undefined {
  let previous: Decimal | undefined;
  let previousWhole = 0;
  let index = 0;
  for (const { price, quantity } of levels) {
    if (!isPositive(price) || !isPositive(quantity)) return `${side} ${index} has price ${price}, quantity ${quantity}`;
    const whole = wholeLength(price);
    if (previous !== undefined) {
      const isInOrder =
        side === 'bid'
          ? isBelow(price, whole, previous, previousWhole)
          : isBelow(previous, previousWhole, price, whole);
      if (!isInOrder) {
        return `${side} ${index} at ${price} follows ${previous}; ${side}s must ${side === 'bid' ? 'descend' : 'ascend'}`;
      }
    }
    previous = price;
    previousWhole = whole;
    index += 1;
  }
  return undefined;
}

/** Whether positive `a` is below positive `b`: `compareDecimal`, with the digits before the points counted once a price. */
function isBelow(a: Decimal, aWhole: number, b: Decimal, bWhole: number): boolean {
  return aWhole === bWhole ? a < b : aWhole < bWhole;
}

/** Venues pad a short side with price 0 or quantity 0: padding, not a level. */
export function isPadding(price: Decimal, quantity: Decimal): boolean {
  return isZero(price) || isZero(quantity);
}
