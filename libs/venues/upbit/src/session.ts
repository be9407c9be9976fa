import {
  asMarketDataError,
  MarketDataError,
  parseJsonKeepingDigits,
  type Channel,
  type Nanoseconds,
} from '@aipx/market-model';
import type { FrameReading, FrameRecord, SessionOptions, VenueSession } from '@aipx/venue';
import { isObject, shown, type Message } from './message.js';
import { UNIT_LISTS } from './order-book-units.js';
import { readOrderBook } from './order-book.js';
import { openingFrames } from './request.js';
import { readTalk } from './talk.js';
import { readTrade } from './trade.js';

/**
 * One connection's protocol. Every data frame is a binary frame of UTF-8 JSON (as seen on the wire): one message, or in
 * the list formats several, each of which stands for itself.
 */
export class UpbitSession implements VenueSession {
  readonly opening: readonly string[];
  /** Each code under itself: all events of a code share one text of it. */
  readonly #subscribed: Readonly<Record<Channel, ReadonlyMap<string, string>>>;

  constructor(options: SessionOptions) {
    const codes = (channel: Channel) =>
      new Map(
        options.subscriptions.flatMap((one) => (one.channel === channel ? [[one.symbol, one.symbol] as const] : [])),
      );
    this.#subscribed = { tick: codes('tick'), orderbook: codes('orderbook') };
    this.opening = openingFrames(options);
  }

  read(frame: Uint8Array, receivedAt: Nanoseconds): FrameReading {
    let content: unknown;
    try {
      content = parseJsonKeepingDigits(frame, UNIT_LISTS);
    } catch (cause) {
      return undecodable(cause instanceof TypeError ? 'not UTF-8' : 'not JSON', cause);
    }
    return Array.isArray(content) ? this.#readList(content, receivedAt) : this.#readMessage(content, receivedAt);
  }

  #readMessage(message: unknown, receivedAt: Nanoseconds): FrameReading {
    if (!isObject<Message>(message)) return undecodable(`${shown(message)} where an object is expected`);
    const type = message.type ?? message.ty;
    if (type === 'trade') return data([this.#readRecord('tick', message, receivedAt)]);
    if (type === 'orderbook') return data([this.#readRecord('orderbook', message, receivedAt)]);
    if (isOtherChannel(type)) return data([{ outcome: 'ignored', symbol: codeOf(message) }]);
    return readTalk(message) ?? undecodable(`type is ${shown(type)}; expected trade or orderbook`);
  }

  /** A list that holds nothing but talk is talk; beside data, an error is a record of its own and hides no neighbour. */
  #readList(messages: readonly unknown[], receivedAt: Nanoseconds): FrameReading {
    const readings = messages.map((message) => this.#readMessage(message, receivedAt));
    if (!readings.some(({ kind }) => kind === 'data')) {
      return readings.find(({ kind }) => kind === 'refusal') ?? readings[0] ?? undecodable('an empty list');
    }
    return data(readings.flatMap(recordsOf));
  }

  #readRecord(channel: Channel, message: Message, receivedAt: Nanoseconds): FrameRecord {
    const code = codeOf(message);
    if (code === '')
      return rejected('', channel, new MarketDataError('VALIDATION_SYMBOL', `${channel} without a code`));
    const symbol = this.#subscribed[channel].get(code);
    if (symbol === undefined) return { outcome: 'ignored', symbol: code };
    try {
      const read = channel === 'tick' ? readTrade : readOrderBook;
      return { outcome: 'event', event: read(message, symbol, receivedAt) };
    } catch (cause) {
      return rejected(symbol, channel, asMarketDataError(cause, 'VALIDATION_FRAME'));
    }
  }
}

/** `KRW-BTC`: replies carry the plain code, without the depth that was asked for (as seen on the wire). */
function codeOf(message: Message): string {
  const code = message.code ?? message.cd;
  return typeof code === 'string' ? code : '';
}

/** Market data that nobody here asks for: `ticker`, `candle.1s` to `candle.240m` (documented). */
function isOtherChannel(type: unknown): boolean {
  return type === 'ticker' || (typeof type === 'string' && type.startsWith('candle.'));
}

function recordsOf(reading: FrameReading): readonly FrameRecord[] {
  switch (reading.kind) {
    case 'data':
      return reading.records;
    case 'refusal':
      return [rejected('', undefined, reading.error)];
    case 'control':
      return [];
  }
}

function data(records: readonly FrameRecord[]): FrameReading {
  return { kind: 'data', records };
}

function rejected(symbol: string, channel: Channel | undefined, error: MarketDataError): FrameRecord {
  return { outcome: 'rejected', symbol, channel, error };
}

function undecodable(reason: string, cause?: unknown): FrameReading {
  return data([
    rejected('', undefined, new MarketDataError('VALIDATION_FRAME', `undecodable frame: ${reason}`, { cause })),
  ]);
}
