import type { AuditBook, AuditTick } from '../records.ts';
import type { FrameContents } from './contents.ts';

const LEVELS = 10;
const SIDES: Readonly<Record<string, string>> = { '1': 'BUY', '5': 'SELL' };
/** Codes of the sign of a change: 4 the lower limit, 5 down. */
const FALLING = new Set(['4', '5']);

/**
 * Of a KIS frame of KRX stocks: trades `H0STCNT0`, books `H0STASP0`. A book has no date; it is of the day in Korea on which the
 * frame was received.
 *
 * @param receivedAtNs nanoseconds since the epoch
 * @throws {RangeError} for one whose fields are no records
 */
export function readKisFrame(frame: string, receivedAtNs: string): FrameContents {
  const [flag = '', stream = '', count = '', ...rest] = frame.split('|');
  if (flag !== '0') return { ticks: [], books: [] };
  const records = recordsOf(rest.join('|').split('^'), Number(count));
  if (stream === 'H0STCNT0') return { ticks: records.map(tickOf), books: [] };
  const date = dateInKorea(receivedAtNs);
  if (stream === 'H0STASP0') return { ticks: [], books: records.map((record) => bookOf(record, date)) };
  return { ticks: [], books: [] };
}

function recordsOf(fields: readonly string[], count: number): readonly (readonly string[])[] {
  const width = fields.length / count;
  if (!Number.isInteger(width)) throw new RangeError(`${fields.length} fields are not ${count} records`);
  return Array.from({ length: count }, (_, at) => fields.slice(at * width, (at + 1) * width));
}

function tickOf(fields: readonly string[]): AuditTick {
  const [symbol = '', time = '', price = '', sign = '', change = ''] = fields;
  const [date = '', cumulative = ''] = [fields[33], fields[13]];
  return {
    symbol,
    id: `KRX-${date}-${cumulative}`,
    price,
    volume: fields[12] ?? '',
    side: SIDES[fields[21] ?? ''] ?? '',
    time: epochMillis(date, time),
    change: FALLING.has(sign) && !change.startsWith('-') ? `-${change}` : change,
  };
}

function bookOf(fields: readonly string[], date: string): AuditBook {
  const side = (prices: number, sizes: number) =>
    Array.from({ length: LEVELS }, (_, level) => [fields[prices + level] ?? '', fields[sizes + level] ?? ''] as const)
      .filter(([price, size]) => Number(price) !== 0 && Number(size) !== 0)
      .map(([price, size]) => `${price} ${size}`);
  return {
    symbol: fields[0] ?? '',
    time: epochMillis(date, fields[1] ?? ''),
    asks: side(3, 23),
    bids: side(13, 33),
    totalAsk: fields[43] ?? '',
    totalBid: fields[44] ?? '',
  };
}

/** @param date YYYYMMDD @param time HHMMSS, both in Korea */
function epochMillis(date: string, time: string): string {
  const [, day = ''] = /^(\d{8})$/.exec(date) ?? [];
  const text = `${day.slice(0, 4)}-${day.slice(4, 6)}-${day.slice(6)}T${time.slice(0, 2)}:${time.slice(2, 4)}:${time.slice(4)}+09:00`;
  return String(Date.parse(text));
}

function dateInKorea(nanoseconds: string): string {
  const millis = Number(BigInt(nanoseconds) / 1_000_000n);
  return new Date(millis + 9 * 3_600_000).toISOString().slice(0, 10).replaceAll('-', '');
}
