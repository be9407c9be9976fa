import type { OrderBook, Tick } from '@aipx/market-model';
import type { FrameReading, FrameRecord, Subscription } from '@aipx/venue';
import { expect } from 'vitest';
import { upbitDriver } from '../src/driver.js';

/** Frames for the driver's tests, written after the documented formats; every value is JSON text, as spelled on the wire. */
export const FORMATS = ['DEFAULT', 'SIMPLE', 'JSON_LIST', 'SIMPLE_LIST'] as const;
export type Format = (typeof FORMATS)[number];
/** JSON text by documented long name. `undefined` leaves a field out. */
export type Fields = Readonly<Record<string, string | undefined>>;

const SHORT_NAMES: Readonly<Record<string, string>> = {
  type: 'ty',
  code: 'cd',
  timestamp: 'tms',
  trade_date: 'td',
  trade_time: 'ttm',
  trade_timestamp: 'ttms',
  trade_price: 'tp',
  trade_volume: 'tv',
  ask_bid: 'ab',
  prev_closing_price: 'pcp',
  change: 'c',
  change_price: 'cp',
  sequential_id: 'sid',
  best_ask_price: 'bap',
  best_ask_size: 'bas',
  best_bid_price: 'bbp',
  best_bid_size: 'bbs',
  total_ask_size: 'tas',
  total_bid_size: 'tbs',
  orderbook_units: 'obu',
  ask_price: 'ap',
  bid_price: 'bp',
  ask_size: 'as',
  bid_size: 'bs',
  level: 'lv',
  stream_type: 'st',
};

const TRADE: Fields = {
  type: '"trade"',
  code: '"KRW-BTC"',
  timestamp: '1790134742106',
  trade_date: '"2026-09-23"',
  trade_time: '"03:39:02"',
  trade_timestamp: '1790134741950',
  trade_price: '116539000.0',
  trade_volume: '0.00152300',
  ask_bid: '"BID"',
  prev_closing_price: '115000000.00000000',
  change: '"RISE"',
  change_price: '1539000.00000000',
  sequential_id: '17901347419500001',
  best_ask_price: '116540000',
  best_ask_size: '0.0021',
  best_bid_price: '116539000',
  best_bid_size: '0.5',
  stream_type: '"REALTIME"',
};

const BOOK: Fields = {
  type: '"orderbook"',
  code: '"KRW-BTC"',
  timestamp: '1790134742106',
  total_ask_size: '0.75000000',
  total_bid_size: '1.5',
  stream_type: '"SNAPSHOT"',
  level: '0',
};

/** Levels best first, as `[ask price, ask size, bid price, bid size]`. */
export type Unit = readonly [askPrice: string, askSize: string, bidPrice: string, bidSize: string];
const UNITS: readonly Unit[] = [
  ['116540000', '0.25', '116539000', '1.0'],
  ['116541000', '5.0E-1', '116538000', '0.50000000'],
];

export function tradeFrame(fields: Fields = {}, format: Format = 'SIMPLE'): Uint8Array {
  return bytes(inList(message({ ...TRADE, ...fields }, format), format));
}

export function bookFrame(units: readonly Unit[] = UNITS, fields: Fields = {}, format: Format = 'SIMPLE'): Uint8Array {
  const list = units.map(([ask_price, ask_size, bid_price, bid_size]) =>
    message({ ask_price, bid_price, ask_size, bid_size }, format),
  );
  return bytes(inList(message({ ...BOOK, orderbook_units: `[${list.join(',')}]`, ...fields }, format), format));
}

/** Several messages in one frame, as the list formats may send them. */
export function listFrame(...frames: readonly Uint8Array[]): Uint8Array {
  return bytes(`[${frames.map((frame) => new TextDecoder().decode(frame)).join(',')}]`);
}

/** The same message with its keys in another order. */
export function withKeysReversed(frame: Uint8Array): Uint8Array {
  const text = new TextDecoder().decode(frame);
  const fields = [...text.slice(1, -1).matchAll(/"\w+":(?:\[.*?\]|"[^"]*"|[^,]*)/g)].map(([field]) => field);
  return bytes(`{${fields.reverse().join(',')}}`);
}

export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function message(fields: Fields, format: Format): string {
  const isShort = format.startsWith('SIMPLE');
  const present = Object.entries(fields).filter(([, value]) => value !== undefined);
  return `{${present.map(([name, value]) => `"${isShort ? (SHORT_NAMES[name] ?? name) : name}":${value}`).join(',')}}`;
}

function inList(text: string, format: Format): string {
  return format.endsWith('LIST') ? `[${text}]` : text;
}

export const RECEIVED_AT = 1_790_134_742_200_000_000n;

/** Both streams of two codes. */
export const SUBSCRIPTIONS: readonly Subscription[] = ['KRW-BTC', 'BTC-ETH'].flatMap((symbol): Subscription[] => [
  { symbol, channel: 'tick' },
  { symbol, channel: 'orderbook' },
]);

export function openSession(subscriptions: readonly Subscription[] = SUBSCRIPTIONS, bookDepth = 15) {
  return upbitDriver.openSession({ subscriptions, bookDepth, connectionId: '3f0c8f5e-6a8f-4a0e-9d5f-1f0f3f2b7c11' });
}

export function read(frame: Uint8Array): FrameReading {
  return openSession().read(frame, RECEIVED_AT);
}

export function recordsOf(frame: Uint8Array): readonly FrameRecord[] {
  const reading = read(frame);
  if (reading.kind !== 'data') expect.unreachable(`read as ${reading.kind}`);
  return reading.records;
}

function eventOf(frame: Uint8Array): Tick | OrderBook {
  const [record] = recordsOf(frame);
  if (record?.outcome === 'rejected') throw record.error;
  return record?.outcome === 'event' ? record.event : expect.unreachable(`read as ${record?.outcome}`);
}

export function tickOf(frame: Uint8Array): Tick {
  const event = eventOf(frame);
  return event.kind === 'tick' ? event : expect.unreachable('read as a book');
}

export function bookOf(frame: Uint8Array): OrderBook {
  const event = eventOf(frame);
  return event.kind === 'orderbook' ? event : expect.unreachable('read as a trade');
}

/** The one record, which must be a rejection. */
export function rejectionOf(frame: Uint8Array) {
  const records = recordsOf(frame);
  const [record] = records;
  if (records.length !== 1 || record?.outcome !== 'rejected')
    expect.unreachable(`read as ${JSON.stringify(records.length)}`);
  return record;
}
