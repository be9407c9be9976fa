import {
  toEpochMicros,
  type Decimal,
  type Gap,
  type Level,
  type Nanoseconds,
  type OrderBook,
  type Tick,
} from '@aipx/market-model';
import type { HotRow } from '@aipx/recording';

/*
 * Rows in PostgreSQL's COPY text format: columns parted by tabs, rows ended by newlines, NULL as \N, and backslash,
 * tab, newline and carriage return in a text escaped with a backslash.
 * https://www.postgresql.org/docs/current/sql-copy.html, "Text Format"
 */

const venueTime = timeWriter();
const receivedTime = timeWriter();

/** A table and how a row of it is written. */
export interface CopyFormat<Row> {
  readonly table: string;
  readonly columns: readonly string[];
  readonly line: (row: Row) => string;
}

export const TICKS: CopyFormat<HotRow<Tick>> = {
  table: 'tick_data',
  columns: [
    'time',
    'exchange',
    'symbol',
    'price',
    'volume',
    'change',
    'change_rate',
    'side',
    'trade_id',
    'received_at',
    'log_partition',
    'log_offset',
  ],
  line: ({ event, partition, record }) =>
    `${venueTime(event.timestamp)}\t${text(event.exchange)}\t${text(event.symbol)}\t${event.price}\t${event.volume}\t` +
    `${optional(event.change)}\t${optional(event.changeRate)}\t${optional(event.side)}\t${text(event.tradeId)}\t` +
    `${receivedTime(event.receivedTimestamp)}\t${partition}\t${optional(record?.offset)}\n`,
};

export const BOOKS: CopyFormat<HotRow<OrderBook>> = {
  table: 'orderbook',
  columns: [
    'time',
    'exchange',
    'symbol',
    'bids',
    'asks',
    'total_bid_quantity',
    'total_ask_quantity',
    'received_at',
    'log_partition',
    'log_offset',
  ],
  line: ({ event, partition, record }) =>
    `${venueTime(event.timestamp)}\t${text(event.exchange)}\t${text(event.symbol)}\t${levels(event.bids)}\t${levels(event.asks)}\t` +
    `${optional(event.totalBidQuantity)}\t${optional(event.totalAskQuantity)}\t` +
    `${receivedTime(event.receivedTimestamp)}\t${partition}\t${optional(record?.offset)}\n`,
};

export const GAPS: CopyFormat<HotRow<Gap>> = {
  table: 'market_gap',
  columns: [
    'exchange',
    'symbol',
    'channel',
    'from_time',
    'to_time',
    'cause',
    'missed',
    'missed_volume',
    'detail',
    'log_topic',
    'log_partition',
    'log_offset',
  ],
  line: ({ event, topic, partition, record }) =>
    `${text(event.exchange)}\t${text(event.symbol)}\t${optional(event.channel)}\t` +
    // 0 says that nothing is known of the time before.
    `${event.from === 0n ? NULL : receivedTime(event.from)}\t${receivedTime(event.to)}\t${optional(event.cause)}\t` +
    `${event.missed}\t${optional(event.missedVolume)}\t${text(event.detail)}\t${text(topic)}\t${partition}\t${optional(record?.offset)}\n`,
};

const NULL = '\\N';
const CHUNK_CHARACTERS = 64 * 1024;

/** The rows as large pieces of COPY text, made as they are taken, so that a batch is never in memory twice. */
export function* copyChunks<Row>(rows: readonly Row[], line: (row: Row) => string): Generator<Buffer> {
  let chunk = '';
  for (const row of rows) {
    chunk += line(row);
    if (chunk.length < CHUNK_CHARACTERS) continue;
    yield Buffer.from(chunk);
    chunk = '';
  }
  if (chunk !== '') yield Buffer.from(chunk);
}

/** Escapes what would end a column or a row. Hardly any text has something to escape. */
function text(raw: string): string {
  return /[\\\t\n\r]/.test(raw) ? raw.replaceAll(/[\\\t\n\r]/g, (character) => ESCAPES[character] ?? character) : raw;
}

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' };

/** For what needs no escaping: numbers, and words of our own. */
function optional(value: Decimal | string | bigint | undefined): string {
  return value === undefined ? NULL : String(value);
}

/**
 * Writes times as ISO 8601 with microseconds; the zone is written out, so that the session's does not matter.
 * One writer a column: neighbours in a column share their second mostly, and that is the dearest part to write.
 */
function timeWriter(): (at: Nanoseconds) => string {
  let known = Number.NaN;
  let text = '';
  return (at) => {
    // A double counts microseconds exactly until the year 2255, and nanoseconds in 64 bits end in 2262.
    const micros = Number(toEpochMicros(at));
    const second = Math.floor(micros / 1_000_000);
    if (second !== known) {
      known = second;
      text = new Date(second * 1000).toISOString().slice(0, 19);
    }
    return `${text}.${String(micros - second * 1_000_000).padStart(6, '0')}Z`;
  };
}

/** Decimals hold no character that JSON or COPY would escape. */
function levels(side: readonly Level[]): string {
  let json = '[';
  for (const { price, quantity } of side) {
    json += `${json === '[' ? '' : ','}{"price":"${price}","quantity":"${quantity}"}`;
  }
  return `${json}]`;
}
