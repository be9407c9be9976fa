import {
  asMarketDataError,
  fromEpochMillis,
  MarketDataError,
  parseDecimal,
  validOrderBook,
  validTick,
  type Channel,
  type Level,
  type Nanoseconds,
  type OrderBook,
  type Tick,
} from '@aipx/market-model';
import type { VenueSamples } from '../src/conformance/samples.js';
import type { FrameReading, FrameRecord, SessionOptions, Subscription, VenueSession } from '../src/driver.js';
import type { SimulatedVenue } from '../src/simulation/contract.js';
import type { Venue } from '../src/venue.js';

/**
 * The smallest honest venue: lines of text. `T|AAA|id|price|volume|ms` is a trade, `B|AAA|ms|price x size,…|…` a book
 * (bids, then asks), `HELLO` a heartbeat and `NO|reason` a refusal. The suite is tested on it and on its broken copies.
 */
export const lineVenue: Venue = {
  driver: {
    id: 'line',
    defaults: {
      websocketUrl: 'wss://line.example/stream',
      apiUrl: 'https://line.example/v1',
      reconnect: { floorMs: 100, capMs: 1000, factor: 2, jitter: 0.2, retries: 0 },
      connectLimit: { attempts: 5, perMs: 1000 },
      keepAlive: { everyMs: 100, idleLimitMs: 300, pongTimeoutMs: 50 },
      silenceTimeoutMs: 200,
      firstRecordWithinMs: 100,
      staleAfterMs: 400,
      bookDepths: [1, 5],
      bookDepth: 5,
    },
    parseSymbol(raw) {
      const symbol = raw.toUpperCase();
      if (/^[A-Z]{3}$/.test(symbol)) return symbol;
      throw new MarketDataError('CONFIG_SYMBOL', `${JSON.stringify(raw)}: expected three letters, e.g. AAA`);
    },
    openSession: (options) => openLineSession(options),
  },
  loadSimulator: () => Promise.resolve(lineSimulator),
};

const lineSimulator: SimulatedVenue = {
  id: 'line',
  symbols: ['AAA', 'BBB'],
  defaultSymbols: ['AAA'],
  websocketPath: '/stream',
  apiPath: '/v1',
  idleLimitMs: 300,
  accept: () => expectUnused(),
  rest: () => expectUnused(),
  market: () => expectUnused(),
  isData: () => expectUnused(),
  symbolsIn: () => expectUnused(),
};

function expectUnused(): never {
  throw new Error('the conformance suite does not run the simulator');
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

export const lineSamples: VenueSamples = {
  subscriptions: [
    { symbol: 'AAA', channel: 'tick' },
    { symbol: 'AAA', channel: 'orderbook' },
    { symbol: 'BBB', channel: 'tick' },
  ],
  data: [
    bytes('T|AAA|1|10.5|3|1787728554853'),
    bytes('T|BBB|1|7|0.25|1787728554853'),
    bytes('B|AAA|1787728554853|10 x 1,9 x 2|11 x 1,12 x 5'),
  ],
  control: [bytes('HELLO')],
  refusals: [bytes('NO|too many connections')],
  symbols: [
    ['aaa', 'AAA'],
    ['BBB', 'BBB'],
  ],
};

function openLineSession({ subscriptions }: SessionOptions): VenueSession {
  return {
    opening: [`SUBSCRIBE ${subscriptions.map(({ symbol, channel }) => `${symbol}/${channel}`).join(' ')}`],
    read: (frame, receivedAt) => readLine(new TextDecoder().decode(frame).split('|'), subscriptions, receivedAt),
  };
}

function readLine(
  fields: readonly string[],
  subscriptions: readonly Subscription[],
  receivedAt: Nanoseconds,
): FrameReading {
  const [type, symbol = ''] = fields;
  if (type === 'HELLO') return { kind: 'control' };
  if (type === 'NO') return { kind: 'refusal', error: new MarketDataError('CONNECTION_REFUSED_BY_VENUE', symbol) };
  const channel: Channel = type === 'T' ? 'tick' : 'orderbook';
  const isSubscribed = subscriptions.some((one) => one.symbol === symbol && one.channel === channel);
  return {
    kind: 'data',
    records: [isSubscribed ? readRecord(channel, symbol, fields, receivedAt) : { outcome: 'ignored', symbol }],
  };
}

function readRecord(channel: Channel, symbol: string, fields: readonly string[], receivedAt: Nanoseconds): FrameRecord {
  try {
    const event = channel === 'tick' ? readTick(symbol, fields, receivedAt) : readBook(symbol, fields, receivedAt);
    return { outcome: 'event', event };
  } catch (cause) {
    return { outcome: 'rejected', symbol, channel, error: asMarketDataError(cause, 'VALIDATION_FRAME') };
  }
}

function readTick(
  symbol: string,
  [, , id = '', price = '', volume = '', time = '']: readonly string[],
  receivedAt: Nanoseconds,
): Tick {
  return validTick({
    kind: 'tick',
    exchange: 'line',
    symbol,
    price: parseDecimal(price),
    volume: parseDecimal(volume),
    timestamp: fromEpochMillis(time),
    change: undefined,
    changeRate: undefined,
    side: undefined,
    tradeId: id,
    receivedTimestamp: receivedAt,
    streamType: undefined,
  });
}

function readBook(
  symbol: string,
  [, , time = '', bids = '', asks = '']: readonly string[],
  receivedAt: Nanoseconds,
): OrderBook {
  return validOrderBook({
    kind: 'orderbook',
    exchange: 'line',
    symbol,
    bids: readLevels(bids),
    asks: readLevels(asks),
    timestamp: fromEpochMillis(time),
    receivedTimestamp: receivedAt,
    streamType: undefined,
    totalBidQuantity: undefined,
    totalAskQuantity: undefined,
  });
}

function readLevels(text: string): readonly Level[] {
  return text.split(',').map((level) => {
    const [price = '', quantity = ''] = level.split(' x ');
    return { price: parseDecimal(price), quantity: parseDecimal(quantity) };
  });
}
