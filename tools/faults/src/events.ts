import type { LogEntry } from '@aipx/event-log';
import { parseDecimal, type Decimal, type Level, type MarketEvent, type OrderBook } from '@aipx/market-model';
import { encodeEvent, EVENT_SCHEMAS, EVENT_TOPICS, PROTOBUF_CONTENT_TYPE } from '@aipx/market-proto';

const LEVELS = 15;
const LARGE_LEVELS = 100;
const SYMBOLS = 24;
const NANOS_PER_MICRO = 1_000n;
const MICROS_PER_HOUR = 3_600_000_000n;
/** Any past hour does. Three in turns, so that most batches have several files. */
const FIRST_HOUR = 480_000n;
const HOURS = 3n;

/**
 * Makes events of which no two are alike, and knows what the stores must say of each: its print, which travels in a
 * header that the recorder has no use for.
 */
export class EventSource {
  readonly #random: () => number;
  #made = 0;

  constructor(random: () => number) {
    this.#random = random;
  }

  /** Of a thousand records 599 are trades, 400 books, and 1 is a gap. */
  next(): LogEntry {
    const share = this.#random();
    return this.#entry(share < 0.001 ? 'gap' : share < 0.4 ? 'orderbook' : 'tick', this.#symbol());
  }

  /** Books of one symbol and one hour, with all the digits that there can be: they become one file, and a large one. */
  largeBooks(count: number): readonly LogEntry[] {
    const symbol = this.#symbol();
    return Array.from({ length: count }, () => {
      const micros = this.#nextMicros(0n);
      const [bids, asks] = [this.#largeLevels(-1), this.#largeLevels(1)];
      return entryOf({ ...this.#book(symbol, micros), bids, asks }, micros);
    });
  }

  #entry(kind: MarketEvent['kind'], symbol: string): LogEntry {
    const micros = this.#nextMicros(BigInt(this.#made) % HOURS);
    return entryOf(this.#event(kind, symbol, micros), micros);
  }

  #nextMicros(hour: bigint): bigint {
    this.#made += 1;
    return (FIRST_HOUR + hour) * MICROS_PER_HOUR + (BigInt(this.#made) % MICROS_PER_HOUR);
  }

  #event(kind: MarketEvent['kind'], symbol: string, micros: bigint): MarketEvent {
    const timestamp = micros * NANOS_PER_MICRO;
    const common = { exchange: 'faults', symbol };
    switch (kind) {
      case 'orderbook':
        return this.#book(symbol, micros);
      case 'tick': {
        const venue = { timestamp, receivedTimestamp: timestamp, streamType: 'REALTIME', side: 'BUY' } as const;
        const trade = { price: this.#price(), volume: this.#size(), tradeId: String(this.#made) };
        return { kind, ...common, ...venue, ...trade, change: undefined, changeRate: undefined };
      }
      case 'gap': {
        const missing = {
          cause: 'SEQUENCE',
          missed: 1n,
          missedVolume: undefined,
          detail: `made ${this.#made}`,
        } as const;
        return { kind, ...common, channel: 'tick', from: timestamp, to: timestamp, ...missing };
      }
    }
  }

  #book(symbol: string, micros: bigint): OrderBook {
    const timestamp = micros * NANOS_PER_MICRO;
    const venue = {
      exchange: 'faults',
      symbol,
      timestamp,
      receivedTimestamp: timestamp,
      streamType: 'REALTIME',
    } as const;
    const [bids, asks] = [this.#levels(-1), this.#levels(1)];
    return { kind: 'orderbook', ...venue, bids, asks, totalBidQuantity: text(this.#made), totalAskQuantity: undefined };
  }

  #levels(direction: 1 | -1): readonly Level[] {
    return Array.from({ length: LEVELS }, (_, level) => {
      return { price: text(50_000_000 + direction * (level + 1) * 1_000), quantity: this.#size() };
    });
  }

  /** 38 digits a number, 12 of them behind the point: 32 bytes a level in Parquet, which no compression makes less. */
  #largeLevels(direction: 1 | -1): readonly Level[] {
    return Array.from({ length: LARGE_LEVELS }, (_, level) => {
      const price = `${500 + direction * level}${this.#digits(23)}.${this.#digits(12)}`;
      return { price: parseDecimal(price), quantity: parseDecimal(`1${this.#digits(25)}.${this.#digits(12)}`) };
    });
  }

  #digits(count: number): string {
    let digits = '';
    while (digits.length < count) digits += String(Math.floor(this.#random() * 1e12)).padStart(12, '0');
    return digits.slice(0, count);
  }

  #symbol(): string {
    return `KRW-S${Math.floor(this.#random() * SYMBOLS)}`;
  }

  #price(): Decimal {
    return text(1 + Math.floor(this.#random() * 90_000_000));
  }

  #size(): Decimal {
    return parseDecimal(`${1 + Math.floor(this.#random() * 1_000)}.${1 + Math.floor(this.#random() * 99_999_999)}`);
  }
}

function entryOf(event: MarketEvent, micros: bigint): LogEntry {
  const headers = {
    exchange: event.exchange,
    schema: EVENT_SCHEMAS[event.kind],
    'content-type': PROTOBUF_CONTENT_TYPE,
    print: printOf(event, micros),
  };
  return { topic: EVENT_TOPICS[event.kind], key: event.symbol, value: encodeEvent(event), headers };
}

/** What the checker's SQL makes of the stored row, character by character. */
export function printOf(event: MarketEvent, micros: bigint): string {
  switch (event.kind) {
    case 'tick':
      return `${event.symbol} ${micros} ${event.tradeId} ${padded(event.price)} ${padded(event.volume)}`;
    case 'orderbook': {
      const { bids, asks, symbol, totalBidQuantity = '' } = event;
      const [best, worst] = [bids[0], asks[asks.length - 1]];
      const ends = `${padded(best?.quantity ?? '')} ${padded(worst?.quantity ?? '')}`;
      return `${symbol} ${micros} ${padded(totalBidQuantity)} ${bids.length} ${asks.length} ${ends}`;
    }
    case 'gap':
      return `${event.symbol} ${event.cause ?? ''} ${event.detail}`;
  }
}

/** As DECIMAL(38,12) is printed. */
function padded(decimal: string): string {
  const [whole = '', fraction = ''] = decimal.split('.');
  return `${whole}.${fraction.padEnd(12, '0')}`;
}

function text(number: number): Decimal {
  return parseDecimal(String(number));
}
