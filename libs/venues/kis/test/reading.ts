import { parseBusinessDate } from '../src/calendar/kst.js';
import { DataReader, type DataReading, type ReaderOptions, type RecordReading } from '../src/reader.js';
import { BOOK_AUCTION, BOOK_FULL, TRADE_2026 } from './captured.js';
import type { MarketDataError, OrderBook, Tick } from '@aipx/market-model';
import { expect } from 'vitest';

export const RECEIVED_AT = 1_790_134_742_200_000_000n;
export const CODES: ReadonlySet<string> = new Set([
  '005930',
  '066570',
  '233740',
  '396300',
  '100840',
  '000660',
  '0193T0',
  'Q530036',
]);

export function openReader(options: Partial<ReaderOptions> = {}): DataReader {
  return new DataReader({
    isSubscribed: (_trId, code) => CODES.has(code),
    dateOfQuote: () => parseBusinessDate('20260914'),
    ...options,
  });
}

export function read(frame: string | Uint8Array, reader = openReader()): DataReading {
  return reader.read(typeof frame === 'string' ? bytes(frame) : frame, RECEIVED_AT);
}

export function recordsOf(frame: string | Uint8Array, reader = openReader()): readonly RecordReading[] {
  return read(frame, reader).records;
}

export function tickOf(frame: string | Uint8Array): Tick {
  const event = eventOf(frame);
  return event.kind === 'tick' ? event : expect.unreachable('read as a book');
}

export function bookOf(frame: string | Uint8Array, reader = openReader()): OrderBook {
  const event = eventOf(frame, reader);
  return event.kind === 'orderbook' ? event : expect.unreachable('read as a trade');
}

function eventOf(frame: string | Uint8Array, reader = openReader()): Tick | OrderBook {
  const [record] = recordsOf(frame, reader);
  if (record?.outcome === 'rejected') throw record.error;
  return record?.outcome === 'event' ? record.event : expect.unreachable(`read as ${record?.outcome}`);
}

/** The one record, which must be a rejection. */
export function rejectionOf(frame: string | Uint8Array, reader = openReader()) {
  const records = recordsOf(frame, reader);
  const [record] = records;
  if (records.length !== 1 || record?.outcome !== 'rejected') expect.unreachable(`read as ${outcomes(records)}`);
  return record;
}

export function rejectionError(frame: string | Uint8Array): MarketDataError {
  return rejectionOf(frame).error;
}

/** `event rejected event`, for whole frames. */
export function outcomes(records: readonly RecordReading[]): string {
  return records.map(({ outcome }) => outcome).join(' ');
}

export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function text(frame: Uint8Array): string {
  return new TextDecoder().decode(frame);
}

export const TRADE = TRADE_2026.split('^');
export const BOOK = payloadOf(BOOK_FULL);
export const BOOK_IN_AUCTION = payloadOf(BOOK_AUCTION);

export function payloadOf(frame: string): readonly string[] {
  return frame.slice(frame.indexOf('|', 11) + 1).split('^');
}

/** The record with some fields replaced, by index. */
export function withFields(fields: readonly string[], replaced: Readonly<Record<number, string>>): readonly string[] {
  return fields.map((field, index) => replaced[index] ?? field);
}

export function without(fields: readonly string[], index: number): readonly string[] {
  return fields.toSpliced(index, 1);
}

/** As many fields as asked for: further ones look as unlike as they may. */
export function widened(fields: readonly string[], width: number): readonly string[] {
  return [...fields, ...Array.from({ length: width - fields.length }, (_, index) => `더${index}`)];
}

export function frameOf(trId: string, records: readonly (readonly string[])[], count = records.length): string {
  return `0|${trId}|${String(count).padStart(3, '0')}|${records.flat().join('^')}`;
}

export function tradeFrame(replaced: Readonly<Record<number, string>> = {}): string {
  return frameOf('H0STCNT0', [withFields(TRADE, replaced)]);
}

export function bookFrame(replaced: Readonly<Record<number, string>> = {}): string {
  return frameOf('H0STASP0', [withFields(BOOK, replaced)]);
}
