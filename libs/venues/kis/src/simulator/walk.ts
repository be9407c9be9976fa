import { seededRandom, type MarketCounters, type Random, type SimulatedRecord } from '@aipx/venue/simulation';
import { LimitBook, type Level } from './book.js';
import type { BookFacts, Expected } from './book-frame.js';
import { timeOf, type VenueTime } from './clock.js';
import { haltAt, type HaltSpan } from './halts.js';
import { phaseAt, type Hours, type Phase, type Segment } from './phases.js';
import { limitsOf } from './prices.js';
import type { Stock } from './stocks.js';
import { DayTotals } from './totals.js';
import type { TradeFacts } from './trade-frame.js';

/** What is done to the records on their way out. */
export interface Mischief {
  /** Whether the record now made is left out, or sent twice. */
  losesRecord(random: Random): boolean;
  repeatsRecord(random: Random): boolean;
}

/** The records of one frame, and what an auditor has to know of them and of those left out before. */
export interface TradeBatch {
  readonly trades: readonly TradeFacts[];
  readonly records: readonly SimulatedRecord[];
}

export interface WalkOptions {
  readonly stock: Stock;
  readonly segment: Segment;
  readonly seed: number;
  readonly hours: Hours;
  /** Those of this symbol. */
  readonly halts: readonly HaltSpan[];
  readonly mischief: Mischief;
  /** Where the day's volumes outlive the process. */
  readonly counters: MarketCounters | undefined;
}

const MOST_TRADES_A_FRAME = 4;
const BURST_TRADES = 24;
/** How much of a usual day's volume an auction moves. */
const AUCTION_SHARE = 0.01;

/** One symbol in one segment, day after day. The state of a day follows from the seed, the date and the calls so far. */
export class Walk {
  readonly #options: WalkOptions;
  readonly #name: string;
  #date = '';
  #random: Random;
  /** Apart from the walk's own, so that what is left out changes nothing about what happens. */
  readonly #luck: Random;
  #previousClose: number;
  #book: LimitBook;
  #totals = new DayTotals();
  #price: number;
  /** When the stretch of trading began that the last trade belongs to. */
  #tradedSince: number | undefined;
  #totalAsk = 0;
  #totalBid = 0;
  #lost: SimulatedRecord[] = [];

  constructor(options: WalkOptions) {
    this.#options = options;
    this.#name = `${options.segment} ${options.stock.code}`;
    this.#random = seededRandom(options.seed, options.stock.code);
    this.#luck = seededRandom(options.seed, `${this.#name} mischief`);
    this.#previousClose = this.#price = options.stock.close;
    this.#book = new LimitBook(this.#price, this.#random);
  }

  /** The next trades, several in one frame at times, or `undefined` while nothing trades. */
  trades(now: VenueTime): TradeBatch | undefined {
    const phase = this.#enter(now);
    const halt = haltAt(this.#options.halts, now.second);
    if (halt !== undefined || phase.trading === 'none' || phase.trading === 'auction') return undefined;
    const stretch = this.#stretch(phase, now.second);
    const first = this.#tradedSince !== stretch.from;
    if (phase.trading === 'print' && !first) return undefined;
    this.#tradedSince = stretch.from;
    const afterAuction = first && (phase.trading === 'print' || stretch.afterHalt || phase.opensByAuction === true);
    return this.#batch(now, phase, afterAuction);
  }

  /** The next state of the book, or `undefined` while there is none. */
  quote(now: VenueTime): BookFacts | undefined {
    const phase = this.#enter(now);
    const halt = haltAt(this.#options.halts, now.second);
    if (halt?.kind === 'halt' || phase.trading === 'none' || phase.trading === 'print') return undefined;
    this.#book.quote();
    return this.book(now);
  }

  /** The book as it stands. */
  book(now: VenueTime): BookFacts {
    const phase = this.#enter(now);
    const interrupted = haltAt(this.#options.halts, now.second)?.kind === 'vi';
    const inAuction = phase.trading === 'auction' || interrupted;
    // As captured: three levels a side, and totals of 0.
    const closes = phase.hourClass === 'A';
    const asks = this.#book.asks.slice(0, closes ? 3 : 10);
    const bids = this.#book.bids.slice(0, closes ? 3 : 10);
    const totalAsk = closes ? 0 : sum(asks);
    const totalBid = closes ? 0 : sum(bids);
    const facts: BookFacts = {
      code: this.#options.stock.code,
      time: now.time,
      hourClass: interrupted ? 'C' : phase.hourClass,
      asks,
      bids,
      totalAsk,
      totalBid,
      expected: inAuction ? this.#expected(bids) : undefined,
      expectedVolume: 1 + Math.floor(sum(asks) / 2),
      previousClose: this.#previousClose,
      volume: this.#totals.volume,
      totalAskChange: totalAsk - this.#totalAsk,
      totalBidChange: totalBid - this.#totalBid,
      marketClass: phase.marketClass,
    };
    this.#totalAsk = totalAsk;
    this.#totalBid = totalBid;
    return facts;
  }

  /** Brings the walk to a moment: a new date begins a new day, and a walk that begins within a day has opened already. */
  #enter(now: VenueTime): Phase {
    const { stock, segment, hours } = this.#options;
    const phase = phaseAt(segment, now.second, stock.fund, hours);
    if (now.date !== this.#date) this.#beginDay(now, phase);
    return phase;
  }

  #beginDay(now: VenueTime, phase: Phase): void {
    const { segment, seed, hours, counters } = this.#options;
    const first = this.#date === '';
    this.#date = now.date;
    this.#random = seededRandom(seed, `${this.#name} ${now.date}`);
    this.#previousClose = this.#price;
    this.#totals = new DayTotals();
    this.#tradedSince = undefined;
    this.#book = new LimitBook(this.#previousClose, this.#random);
    const openedAt = openingSecond(segment, hours);
    const reached = counters?.reached(now.date, this.#name) ?? 0;
    if (reached === 0 && (!first || now.second <= openedAt + 1)) return;
    this.#tradedSince = this.#stretch(phase, now.second).from;
    this.#totals.add(this.#price, reached || this.#auctionSize(), 'none', timeOf(openedAt));
  }

  #batch(now: VenueTime, phase: Phase, afterAuction: boolean): TradeBatch | undefined {
    const count = afterAuction && phase.trading === 'continuous' ? BURST_TRADES : this.#usualCount(phase);
    const trades: TradeFacts[] = [];
    const records: SimulatedRecord[] = this.#lost;
    this.#lost = [];
    for (let at = 0; at < count; at += 1) {
      const trade = at === 0 && afterAuction ? this.#print(now, phase) : this.#trade(now, phase);
      this.#send(trade, trades, records);
    }
    if (trades.length > 0) return { trades, records };
    this.#lost = records;
    return undefined;
  }

  #send(trade: TradeFacts, trades: TradeFacts[], records: SimulatedRecord[]): void {
    const { mischief } = this.#options;
    if (mischief.losesRecord(this.#luck)) {
      records.push(this.#record(trade, 'lost'));
      return;
    }
    trades.push(trade);
    records.push(this.#record(trade, 'sent'));
    if (!mischief.repeatsRecord(this.#luck)) return;
    trades.push(trade);
    records.push(this.#record(trade, 'repeated'));
  }

  #usualCount(phase: Phase): number {
    if (phase.trading !== 'continuous') return 1;
    return this.#random() < 0.7 ? 1 : 1 + Math.floor(this.#random() * MOST_TRADES_A_FRAME);
  }

  #trade(now: VenueTime, phase: Phase): TradeFacts {
    if (phase.trading === 'fixed')
      return this.#done(now, phase, this.#price, 1 + Math.floor(this.#random() * 50), 'none');
    const { price, size, buy } = this.#book.trade();
    const trade = this.#done(now, phase, price, size, buy ? 'buy' : 'sell');
    if (this.#random() < 0.5) this.#book.quote();
    return trade;
  }

  /** The one trade of an auction: much volume, no side, and a book that begins anew around it. */
  #print(now: VenueTime, phase: Phase): TradeFacts {
    const bid = this.#book.bids[0]?.price ?? this.#price;
    this.#book.reopen(bid);
    return this.#done(now, phase, bid, this.#auctionSize(), 'none');
  }

  #done(now: VenueTime, phase: Phase, price: number, size: number, side: 'buy' | 'sell' | 'none'): TradeFacts {
    this.#price = price;
    this.#totals.add(price, size, side, now.time);
    this.#options.counters?.raise(this.#date, this.#name, this.#totals.volume);
    return this.#facts(now, phase, size, side);
  }

  #facts(now: VenueTime, phase: Phase, size: number, side: 'buy' | 'sell' | 'none'): TradeFacts {
    const { stock } = this.#options;
    const totals = Object.assign(new DayTotals(), this.#totals);
    return {
      code: stock.code,
      time: now.time,
      date: now.date,
      price: this.#price,
      size,
      side: side === 'none' ? '3' : side === 'buy' ? '1' : '5',
      previousClose: this.#previousClose,
      limits: limitsOf(this.#previousClose),
      totals,
      averagePrice: totals.turnover / totals.volume,
      buyRatio: totals.buyVolume / totals.volume,
      previousVolume: stock.previousVolume,
      previousVolumeByNow: Math.ceil((stock.previousVolume * (now.second + 1)) / 86_400),
      listedShares: stock.listedShares,
      ask: this.#book.asks[0] ?? NO_LEVEL,
      bid: this.#book.bids[0] ?? NO_LEVEL,
      totalAsk: sum(this.#book.asks),
      totalBid: sum(this.#book.bids),
      operation: phase.operation,
      halted: false,
      hourClass: phase.hourClass,
      viReference: this.#totals.open.price,
      marketClass: phase.marketClass,
    };
  }

  #record({ size, totals }: TradeFacts, fate: SimulatedRecord['fate']): SimulatedRecord {
    const reference = `${this.#options.segment}-${this.#date}-${totals.volume}`;
    return { reference, volume: size, cumulative: totals.volume, fate };
  }

  #expected(bids: readonly Level[]): Expected {
    return { price: bids[0]?.price ?? this.#previousClose, size: this.#auctionSize() };
  }

  #auctionSize(): number {
    return 1 + Math.floor(this.#options.stock.previousVolume * AUCTION_SHARE * (0.5 + this.#random()));
  }

  /** The stretch of trading between two rests that a moment belongs to: when it began, and whether after a halt. */
  #stretch(phase: Phase, second: number): Stretch {
    const halt = this.#options.halts.findLast(({ to }) => phase.from < to && to <= second);
    return { from: halt?.to ?? phase.from, afterHalt: halt !== undefined };
  }
}

interface Stretch {
  readonly from: number;
  readonly afterHalt: boolean;
}

const NO_LEVEL: Level = { price: 0, size: 0 };

function sum(levels: readonly Level[]): number {
  return levels.reduce((total, { size }) => total + size, 0);
}

function openingSecond(segment: Segment, hours: Hours): number {
  if (hours === 'always') return 0;
  return segment === 'KRX' ? 9 * 3600 : 8 * 3600;
}
