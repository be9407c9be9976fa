import {
  compareDecimal,
  GAP_CAUSES,
  parseDecimal,
  type Decimal,
  type Gap,
  type Level,
  type OrderBook,
  type Tick,
} from '@aipx/market-model';
import fc from 'fast-check';
import { book, gap, NEARLY_TWO, SECOND, tick } from './events.js';

/** Some come again and again, so that columns get dictionaries; some are as far out as decimals go. */
const COMMON = ['1', '0.5', '100', '97000000', '0.00012345'];
const EXTREME = [
  '0.000000000001',
  '99999999999999999999999999.999999999999', // the largest that fits
  '100000000000000000000000000',
  '0.1234567890123',
  `${'9'.repeat(64)}.${'9'.repeat(64)}`,
  '9007199254740993', // not a double
  '4294967296', // zeros where its lowest bits are
  '999999999999999.999999999999',
  '1000000000000000.000000000001',
];
const DEPTHS = [0, 1, 5, 15, 30];
const MOST_INT64 = 2n ** 63n - 1n;

const ordinary = fc
  .tuple(fc.bigInt({ min: 1n, max: 10n ** 20n }), fc.integer({ min: 0, max: 12 }))
  .map(([digits, scale]) => {
    const text = String(digits).padStart(scale + 1, '0');
    return scale === 0 ? text : `${text.slice(0, -scale)}.${text.slice(-scale)}`;
  });

/** Above zero. */
const positive: fc.Arbitrary<Decimal> = fc
  .oneof(
    { weight: 6, arbitrary: ordinary },
    { weight: 6, arbitrary: fc.constantFrom(...COMMON) },
    { weight: 1, arbitrary: fc.constantFrom(...EXTREME) },
  )
  .map((text) => parseDecimal(text));

const signed = fc.oneof(
  positive,
  positive.map((value) => parseDecimal(`-${value}`)),
  fc.constant(parseDecimal('0')),
);

const maybe = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: undefined, freq: 3 });
const text = fc.oneof(fc.constantFrom('KRW-BTC', 'KRW-ETH', '005930'), fc.string({ unit: 'grapheme', minLength: 1 }));
/** The venue's times lie in three hours, ours anywhere. */
const time = fc.bigInt({ min: NEARLY_TWO, max: NEARLY_TWO + 7_200n * SECOND });
const anyTime = fc.bigInt({ min: 1n, max: MOST_INT64 });

const side = (direction: 1 | -1): fc.Arbitrary<Level[]> =>
  fc
    .constantFrom(...DEPTHS)
    .chain((depth) =>
      fc.array(fc.record({ price: positive, quantity: positive }), { minLength: depth, maxLength: depth }),
    )
    .map((levels) => {
      const byPrice = new Map(levels.map((level) => [level.price, level]));
      return [...byPrice.values()].sort((a, b) => direction * compareDecimal(a.price, b.price));
    });

export const anyTick: fc.Arbitrary<Tick> = fc
  .record({
    symbol: text,
    price: positive,
    volume: positive,
    change: maybe(signed),
    changeRate: maybe(signed),
    side: maybe(fc.constantFrom('BUY', 'SELL')),
    tradeId: text,
    timestamp: time,
    receivedTimestamp: anyTime,
  })
  .map(tick);

export const anyBook: fc.Arbitrary<OrderBook> = fc
  .record({
    symbol: text,
    bids: side(-1),
    asks: side(1),
    totalBidQuantity: maybe(positive),
    totalAskQuantity: maybe(positive),
    timestamp: time,
    receivedTimestamp: anyTime,
  })
  .map(book);

export const anyGap: fc.Arbitrary<Gap> = fc
  .record({
    symbol: text,
    channel: maybe(fc.constantFrom('tick', 'orderbook')),
    from: fc.oneof(fc.constant(0n), anyTime),
    to: time,
    cause: maybe(fc.constantFrom(...GAP_CAUSES)),
    missed: fc.oneof(fc.constantFrom(0n, 1n, 2n ** 63n, 2n ** 64n - 1n), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })),
    missedVolume: maybe(signed),
    detail: text,
  })
  .map(gap);
