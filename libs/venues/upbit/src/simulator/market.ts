import {
  seededRandom,
  type MarketOptions,
  type Random,
  type SimulatedEvent,
  type SimulatedMarket,
} from '@aipx/venue/simulation';
import { SimulatedBook, type BookSide, type Execution } from './book.js';
import { PAIR_BY_CODE, type Pair } from './pairs.js';
import { gridOf, type Grid } from './prices.js';

/** One trade of the market, numbers counted on the grid. */
export interface TradePayload extends Execution {
  readonly kind: 'trade';
  readonly pair: Pair;
  readonly grid: Grid;
  /** 17 digits. */
  readonly id: string;
  /** Execution and publication, ms. */
  readonly executedAt: number;
  readonly publishedAt: number;
  readonly previousClose: number;
}

/** The book as it stands; the arrays go on changing with the next event. */
export interface BookPayload {
  readonly kind: 'book';
  readonly pair: Pair;
  readonly grid: Grid;
  readonly changedAt: number;
  readonly bids: BookSide;
  readonly asks: BookSide;
}

export type Payload = TradePayload | BookPayload;

/** Documented as two fields, so the two differ here too: a reader that mixes them up is found out. */
const EXECUTION_TO_PUBLICATION_MS = 3;

/** Upbit's market: one seeded walk for each pair. */
export class UpbitMarket implements SimulatedMarket {
  readonly #options: MarketOptions;
  readonly #walks = new Map<string, PairWalk>();

  constructor(options: MarketOptions) {
    this.#options = options;
  }

  next({ symbol, channel }: { symbol: string; channel: SimulatedEvent['channel'] }): SimulatedEvent {
    const walk = this.#walk(symbol);
    return channel === 'tick' ? asEvent(walk.trade(), false) : asEvent(walk.quote(), false);
  }

  snapshot({ symbol, channel }: { symbol: string; channel: SimulatedEvent['channel'] }): SimulatedEvent {
    const walk = this.#walk(symbol);
    return asEvent(channel === 'tick' ? walk.lastTrade : walk.book(), true);
  }

  #walk(symbol: string): PairWalk {
    let walk = this.#walks.get(symbol);
    if (walk === undefined) {
      const pair = PAIR_BY_CODE.get(symbol);
      if (pair === undefined) throw new RangeError(`no such pair in the simulated market: ${symbol}`);
      walk = new PairWalk(pair, this.#options);
      this.#walks.set(symbol, walk);
    }
    return walk;
  }
}

class PairWalk {
  lastTrade: TradePayload;
  readonly #pair: Pair;
  readonly #options: MarketOptions;
  readonly #grid: Grid;
  readonly #book: SimulatedBook;
  readonly #previousClose: number;
  #changedAt = 0;

  constructor(pair: Pair, options: MarketOptions) {
    const random = seededRandom(options.seed, pair.code);
    this.#pair = pair;
    this.#options = options;
    this.#grid = gridOf(pair);
    this.#book = new SimulatedBook(pair, this.#grid, random);
    this.#previousClose = previousClose(this.#grid, random);
    // There always was a trade before: the venue's snapshot of the trade stream.
    this.lastTrade = this.trade();
  }

  trade(): TradePayload {
    const { millis, counter } = this.#options.nextStamp();
    const publishedAt = this.#now();
    this.lastTrade = {
      kind: 'trade',
      pair: this.#pair,
      grid: this.#grid,
      // As seen on the wire: ms x 10^4 and a counter.
      id: `${millis}${String(counter).padStart(4, '0')}`,
      executedAt: publishedAt - EXECUTION_TO_PUBLICATION_MS,
      publishedAt,
      previousClose: this.#previousClose,
      ...this.#book.trade(),
    };
    return this.lastTrade;
  }

  quote(): BookPayload {
    this.#now();
    this.#book.quote();
    return this.book();
  }

  book(): BookPayload {
    const { bids, asks } = this.#book;
    return { kind: 'book', pair: this.#pair, grid: this.#grid, changedAt: this.#changedAt, bids, asks };
  }

  /** As seen on the wire, the venue's times never go back, whatever the machine's clock does. */
  #now(): number {
    this.#changedAt = Math.max(this.#changedAt, this.#options.now());
    return this.#changedAt;
  }
}

/** Some ticks away from where the walk starts, so that prices rise, fall and stand even. */
function previousClose(grid: Grid, random: Random): number {
  let close = grid.reference;
  const move = random() < 0.5 ? grid.above : grid.below;
  for (let left = Math.floor(random() * 6); left > 0 && move(close) > 0; left -= 1) close = move(close);
  return close;
}

function asEvent(payload: Payload, snapshot: boolean): SimulatedEvent {
  const trade = payload.kind === 'trade';
  return {
    symbol: payload.pair.code,
    channel: trade ? 'tick' : 'orderbook',
    snapshot,
    reference: trade ? payload.id : String(payload.changedAt),
    payload,
  };
}
