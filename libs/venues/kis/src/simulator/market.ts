import type {
  MarketCounters,
  MarketOptions,
  SimulatedEvent,
  SimulatedMarket,
  SimulatedStream,
} from '@aipx/venue/simulation';
import type { BookFacts } from './book-frame.js';
import { venueTime } from './clock.js';
import type { Exchange } from './exchange.js';
import type { Segment } from './phases.js';
import { STOCK_BY_CODE } from './stocks.js';
import type { TradeFacts } from './trade-frame.js';
import { Walk } from './walk.js';

/** The payload of the market's events. */
export type Payload =
  | { readonly kind: 'trades'; readonly trades: readonly TradeFacts[] }
  | { readonly kind: 'book'; readonly book: BookFacts };

/** Each symbol in each segment walks on its own; the unified stream is a market like the others, not their sum. */
export class KisMarket implements SimulatedMarket {
  readonly #exchange: Exchange;
  readonly #seed: number;
  readonly #counters: MarketCounters | undefined;
  readonly #walks = new Map<string, Walk>();

  constructor(exchange: Exchange, { seed, counters }: MarketOptions) {
    this.#exchange = exchange;
    this.#seed = seed;
    this.#counters = counters;
  }

  next({ symbol, channel, segment = 'KRX' }: SimulatedStream): SimulatedEvent | undefined {
    const { now } = this.#exchange.clock;
    const walk = this.#walk(symbol, segment as Segment);
    if (channel === 'orderbook') {
      const book = walk.quote(venueTime(now));
      return book && bookEvent(book, segment, now, false);
    }
    const batch = walk.trades(venueTime(now));
    if (batch === undefined) return undefined;
    const { trades, records } = batch;
    const payload: Payload = { kind: 'trades', trades };
    const reference = records.findLast(({ fate }) => fate !== 'lost')?.reference ?? '';
    return { symbol, channel, segment, snapshot: false, reference, records, payload };
  }

  /** The venue sends none; this is the book as it stands, for whoever asks the market itself. */
  snapshot({ symbol, segment = 'KRX' }: SimulatedStream): SimulatedEvent {
    const { now } = this.#exchange.clock;
    return bookEvent(this.#walk(symbol, segment as Segment).book(venueTime(now)), segment, now, true);
  }

  #walk(symbol: string, segment: Segment): Walk {
    const key = `${segment} ${symbol}`;
    let walk = this.#walks.get(key);
    if (walk === undefined) {
      const stock = STOCK_BY_CODE.get(symbol);
      if (stock === undefined) throw new RangeError(`no such issue in the simulated market: ${symbol}`);
      const { hours, behaviour, haltsOf } = this.#exchange;
      walk = new Walk({
        stock,
        segment,
        seed: this.#seed,
        hours,
        halts: haltsOf(symbol),
        mischief: behaviour,
        counters: this.#counters,
      });
      this.#walks.set(key, walk);
    }
    return walk;
  }
}

function bookEvent(book: BookFacts, segment: string, now: number, snapshot: boolean): SimulatedEvent {
  const payload: Payload = { kind: 'book', book };
  return { symbol: book.code, channel: 'orderbook', segment, snapshot, reference: String(now), payload };
}
