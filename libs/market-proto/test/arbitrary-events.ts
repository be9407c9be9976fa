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

const MAX_INT64 = 2n ** 63n - 1n;
const PLAIN = { noNullPrototype: true } as const;

const text = fc.string({ unit: 'grapheme', maxLength: 30 });
const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 });
const optional = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: undefined });
const time = fc.bigInt({ min: 1n, max: MAX_INT64 });

/** Up to 60 digits on either side of the point, beyond every double and every int64. */
function decimals(min: bigint): fc.Arbitrary<Decimal> {
  return fc
    .tuple(fc.bigInt({ min, max: 10n ** 60n }), fc.integer({ min: -60, max: 20 }))
    .map(([digits, exponent]) => parseDecimal(`${digits}e${exponent}`));
}

export const positive = decimals(1n);
export const signed = decimals(-(10n ** 60n));

export const ticks: fc.Arbitrary<Tick> = fc.record(
  {
    kind: fc.constant('tick' as const),
    exchange: name,
    symbol: name,
    price: positive,
    volume: positive,
    timestamp: time,
    change: optional(signed),
    changeRate: optional(signed),
    side: optional(fc.constantFrom('BUY', 'SELL')),
    tradeId: name,
    receivedTimestamp: time,
    streamType: optional(fc.constantFrom('SNAPSHOT', 'REALTIME')),
  },
  PLAIN,
);

function levels(direction: 1 | -1): fc.Arbitrary<readonly Level[]> {
  return fc
    .uniqueArray(fc.record({ price: positive, quantity: positive }, PLAIN), {
      maxLength: 30,
      selector: (level) => level.price,
    })
    .map((unordered) => unordered.sort((a, b) => direction * compareDecimal(a.price, b.price)));
}

export const orderBooks: fc.Arbitrary<OrderBook> = fc.record(
  {
    kind: fc.constant('orderbook' as const),
    exchange: name,
    symbol: name,
    bids: levels(-1),
    asks: levels(1),
    timestamp: time,
    receivedTimestamp: time,
    streamType: optional(fc.constantFrom('SNAPSHOT', 'REALTIME')),
    totalBidQuantity: optional(signed),
    totalAskQuantity: optional(signed),
  },
  PLAIN,
);

export const gaps: fc.Arbitrary<Gap> = fc.record(
  {
    kind: fc.constant('gap' as const),
    exchange: text,
    symbol: text,
    channel: optional(fc.constantFrom('tick', 'orderbook')),
    from: fc.bigInt({ min: 0n, max: MAX_INT64 }),
    to: fc.bigInt({ min: 0n, max: MAX_INT64 }),
    cause: optional(fc.constantFrom(...GAP_CAUSES)),
    missed: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    missedVolume: optional(signed),
    detail: text,
  },
  PLAIN,
);

export const events = fc.oneof(ticks, orderBooks, gaps);
