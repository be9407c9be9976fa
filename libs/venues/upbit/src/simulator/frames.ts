import type { SimulatedEvent } from '@aipx/venue/simulation';
import type { BookPayload, Payload, TradePayload } from './market.js';
import { javaBigDecimal, javaDouble, padded, pythonFloat, shortest, withPoint } from './numbers.js';

/** Documented. Applies to the whole connection; the LIST formats wrap each message into an array. */
export type Format = 'DEFAULT' | 'SIMPLE' | 'JSON_LIST' | 'SIMPLE_LIST';

/**
 * One market event as its message. Numbers are spelled as each format spells them on the wire, which is the point:
 * DEFAULT writes large book prices with an exponent, SIMPLE small book sizes.
 */
export function frameOf(event: SimulatedEvent, format: Format, depth: number): Uint8Array {
  const payload = event.payload as Payload;
  const stream = event.snapshot ? 'SNAPSHOT' : 'REALTIME';
  const simple = format === 'SIMPLE' || format === 'SIMPLE_LIST';
  const message =
    payload.kind === 'trade'
      ? (simple ? simpleTrade : defaultTrade)(payload, stream)
      : (simple ? simpleBook : defaultBook)(payload, stream, depth);
  const text = format === 'JSON_LIST' || format === 'SIMPLE_LIST' ? `[${message}]` : message;
  // Nothing but ASCII in it, and latin1 is the cheaper way to copy that.
  return Buffer.from(text, 'latin1');
}

function defaultTrade(trade: TradePayload, stream: string): string {
  const { priceDecimals: pd, sizeDecimals: sd } = trade.grid;
  const { date, time } = utcText(trade.executedAt);
  return (
    `${head('type', 'trade', 'code', trade.pair.code, trade.executedAt)},"timestamp":${trade.publishedAt}` +
    `,"trade_date":"${date}","trade_time":"${time}","trade_timestamp":${trade.executedAt}` +
    `,"trade_price":${withPoint(trade.price, pd)},"trade_volume":${pythonFloat(trade.size, sd)}` +
    `,"ask_bid":"${trade.buy ? 'BID' : 'ASK'}","prev_closing_price":${withPoint(trade.previousClose, pd)}` +
    `,"change":"${change(trade)}","change_price":${withPoint(changePrice(trade), pd)}` +
    `,"sequential_id":${trade.id},"best_ask_price":${shortest(trade.bestAsk, pd)}` +
    `,"best_ask_size":${pythonFloat(trade.bestAskSize, sd)},"best_bid_price":${shortest(trade.bestBid, pd)}` +
    `,"best_bid_size":${pythonFloat(trade.bestBidSize, sd)},"stream_type":"${stream}"}`
  );
}

function simpleTrade(trade: TradePayload, stream: string): string {
  const { priceDecimals: pd, sizeDecimals: sd } = trade.grid;
  const { date, time } = utcText(trade.executedAt);
  return (
    `${head('ty', 'trade', 'cd', trade.pair.code, trade.executedAt)},"tms":${trade.publishedAt}` +
    `,"td":"${date}","ttm":"${time}","ttms":${trade.executedAt}` +
    `,"tp":${withPoint(trade.price, pd)},"tv":${shortest(trade.size, sd)},"ab":"${trade.buy ? 'BID' : 'ASK'}"` +
    `,"pcp":${padded(trade.previousClose, pd)},"c":"${change(trade)}","cp":${javaBigDecimal(changePrice(trade), pd)}` +
    `,"sid":${trade.id},"bap":${shortest(trade.bestAsk, pd)},"bas":${javaDouble(trade.bestAskSize, sd)}` +
    `,"bbp":${shortest(trade.bestBid, pd)},"bbs":${javaDouble(trade.bestBidSize, sd)},"st":"${stream}"}`
  );
}

function defaultBook(book: BookPayload, stream: string, depth: number): string {
  const { priceDecimals: pd, sizeDecimals: sd } = book.grid;
  return (
    `${head('type', 'orderbook', 'code', book.pair.code, book.changedAt)},"timestamp":${book.changedAt}` +
    `,"total_ask_size":${shortest(total(book.asks.sizes, depth), sd)}` +
    `,"total_bid_size":${shortest(total(book.bids.sizes, depth), sd)},"orderbook_units":[${units(book, depth, {
      askPrice: '{"ask_price":',
      bidPrice: ',"bid_price":',
      askSize: ',"ask_size":',
      bidSize: ',"bid_size":',
      price: (value) => javaDouble(value, pd),
      size: (value) => padded(value, sd),
    })}],"stream_type":"${stream}","level":0}`
  );
}

function simpleBook(book: BookPayload, stream: string, depth: number): string {
  const { priceDecimals: pd, sizeDecimals: sd } = book.grid;
  return (
    `${head('ty', 'orderbook', 'cd', book.pair.code, book.changedAt)},"tms":${book.changedAt}` +
    `,"tas":${javaDouble(total(book.asks.sizes, depth), sd)}` +
    `,"tbs":${javaDouble(total(book.bids.sizes, depth), sd)},"obu":[${units(book, depth, {
      askPrice: '{"ap":',
      bidPrice: ',"bp":',
      askSize: ',"as":',
      bidSize: ',"bs":',
      price: (value) => shortest(value, pd),
      size: (value) => javaDouble(value, sd),
    })}],"st":"${stream}","lv":0}`
  );
}

interface UnitSpelling {
  readonly askPrice: string;
  readonly bidPrice: string;
  readonly askSize: string;
  readonly bidSize: string;
  readonly price: (value: number) => string;
  readonly size: (value: number) => string;
}

/** The i-th unit pairs the i-th ask with the i-th bid; a side that has fewer levels is padded with zeros. */
function units({ asks, bids }: BookPayload, depth: number, spelling: UnitSpelling): string {
  const count = Math.min(depth, Math.max(asks.prices.length, bids.prices.length));
  let text = '';
  for (let at = 0; at < count; at += 1) {
    text +=
      (at === 0 ? '' : ',') +
      spelling.askPrice +
      spelling.price(asks.prices[at] ?? 0) +
      spelling.bidPrice +
      spelling.price(bids.prices[at] ?? 0) +
      spelling.askSize +
      spelling.size(asks.sizes[at] ?? 0) +
      spelling.bidSize +
      spelling.size(bids.sizes[at] ?? 0) +
      '}';
  }
  return text;
}

/** As seen on the wire, a total is the sum of the sizes in the message. */
function total(sizes: readonly number[], depth: number): number {
  let sum = 0;
  for (let at = 0; at < depth && at < sizes.length; at += 1) sum += sizes[at] ?? 0;
  return sum;
}

/** Key order differs between messages, as on the wire: odd and even times begin differently. */
function head(typeKey: string, type: string, codeKey: string, code: string, time: number): string {
  return time % 2 === 0
    ? `{"${typeKey}":"${type}","${codeKey}":"${code}"`
    : `{"${codeKey}":"${code}","${typeKey}":"${type}"`;
}

function change({ price, previousClose }: TradePayload): 'RISE' | 'EVEN' | 'FALL' {
  return price === previousClose ? 'EVEN' : price > previousClose ? 'RISE' : 'FALL';
}

/** Absolute, as documented for the socket. */
function changePrice({ price, previousClose }: TradePayload): number {
  return Math.abs(price - previousClose);
}

let textOfSecond = { second: -1, date: '', time: '' };

/** UTC date and time; thousands of trades share a second, so the last one is kept. */
function utcText(millis: number): { readonly date: string; readonly time: string } {
  const second = Math.floor(millis / 1000);
  if (textOfSecond.second !== second) {
    const iso = new Date(millis).toISOString();
    textOfSecond = { second, date: iso.slice(0, 10), time: iso.slice(11, 19) };
  }
  return textOfSecond;
}
