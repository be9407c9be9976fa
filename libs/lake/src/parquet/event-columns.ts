import {
  toEpochMicros,
  type Decimal,
  type Gap,
  type Level,
  type MarketEvent,
  type OrderBook,
  type Tick,
} from '@aipx/market-model';
import { kindOfTopic } from '@aipx/market-proto';
import {
  decimal,
  int32,
  int64,
  levels,
  optionalText,
  optionalTimestamp,
  text,
  timestamp,
  uint64,
  type Column,
  type EncodedLevel,
} from './columns.js';
import type { DecimalEncoder } from './decimal-bytes.js';
import { ParquetTable, type Compression } from './parquet-table.js';

/** An event and where the log holds it. */
export interface EventRow<Event extends MarketEvent = MarketEvent> {
  readonly event: Event;
  readonly offset: bigint;
}

/** What the columns of one batch share. */
export interface ColumnContext {
  readonly topic: string;
  readonly partition: number;
  readonly decimals: DecimalEncoder;
  readonly compression: Compression;
}

/**
 * Rows of a row group, so that the writer's memory does not grow with the batch. A book is 30 levels, each of them a
 * value to the writer; larger groups would save a few per cent of a file.
 */
const GROUP_ROWS = { tick: 100_000, orderbook: 10_000, gap: 100_000 } as const;

/** An empty table for the events of a topic. */
export function eventTable(context: ColumnContext): EventTable {
  const kind = kindOfTopic(context.topic);
  const options = { compression: context.compression, groupRows: GROUP_ROWS[kind] };
  // A topic's records decode to its own kind of event only, so each table gets the rows that its columns expect.
  switch (kind) {
    case 'tick':
      return new ParquetTable(tickColumns(context), (row: EventRow<Tick>) => row, options) as EventTable;
    case 'orderbook':
      return new ParquetTable(
        orderBookColumns(context),
        (row: EventRow<OrderBook>) => bookRow(context, row),
        options,
      ) as EventTable;
    case 'gap':
      return new ParquetTable(gapColumns(context), (row: EventRow<Gap>) => row, options) as EventTable;
  }
}

/** A table that takes events and knows its columns itself. */
export type EventTable = Pick<ParquetTable<EventRow>, 'rows' | 'append' | 'toBytes'>;

/** The columns of `tick_data`, in its order, then what SQL rounds (`*_ns`) and what DECIMAL does not hold (`*_text`). */
function tickColumns(context: ColumnContext): readonly Column<EventRow<Tick>>[] {
  const { partition, decimals } = context;
  return [
    timestamp('time', ({ event }) => toEpochMicros(event.timestamp)),
    text('exchange', ({ event }) => event.exchange),
    text('symbol', ({ event }) => event.symbol),
    exact(decimals, 'price', ({ event }) => event.price),
    exact(decimals, 'volume', ({ event }) => event.volume),
    exact(decimals, 'change', ({ event }) => event.change),
    exact(decimals, 'change_rate', ({ event }) => event.changeRate),
    optionalText('side', ({ event }) => event.side),
    text('trade_id', ({ event }) => event.tradeId),
    timestamp('received_at', ({ event }) => toEpochMicros(event.receivedTimestamp)),
    int32('log_partition', () => partition),
    int64('log_offset', ({ offset }) => offset),
    int64('time_ns', ({ event }) => event.timestamp),
    int64('received_ns', ({ event }) => event.receivedTimestamp),
    spare(decimals, 'price', ({ event }) => event.price),
    spare(decimals, 'volume', ({ event }) => event.volume),
    spare(decimals, 'change', ({ event }) => event.change),
    spare(decimals, 'change_rate', ({ event }) => event.changeRate),
  ];
}

interface BookRow extends EventRow<OrderBook> {
  readonly bids: readonly EncodedLevel[];
  readonly asks: readonly EncodedLevel[];
}

function bookRow({ decimals }: ColumnContext, { event, offset }: EventRow<OrderBook>): BookRow {
  return { event, offset, bids: encodedLevels(decimals, event.bids), asks: encodedLevels(decimals, event.asks) };
}

/** The columns of `orderbook`, likewise. */
function orderBookColumns(context: ColumnContext): readonly Column<BookRow>[] {
  const { partition, decimals } = context;
  return [
    timestamp('time', ({ event }) => toEpochMicros(event.timestamp)),
    text('exchange', ({ event }) => event.exchange),
    text('symbol', ({ event }) => event.symbol),
    levels('bids', ({ bids }) => bids),
    levels('asks', ({ asks }) => asks),
    exact(decimals, 'total_bid_quantity', ({ event }) => event.totalBidQuantity),
    exact(decimals, 'total_ask_quantity', ({ event }) => event.totalAskQuantity),
    timestamp('received_at', ({ event }) => toEpochMicros(event.receivedTimestamp)),
    int32('log_partition', () => partition),
    int64('log_offset', ({ offset }) => offset),
    int64('time_ns', ({ event }) => event.timestamp),
    int64('received_ns', ({ event }) => event.receivedTimestamp),
    optionalText('bids_text', ({ event, bids }) => spareLevels(event.bids, bids)),
    optionalText('asks_text', ({ event, asks }) => spareLevels(event.asks, asks)),
    spare(decimals, 'total_bid_quantity', ({ event }) => event.totalBidQuantity),
    spare(decimals, 'total_ask_quantity', ({ event }) => event.totalAskQuantity),
  ];
}

/** The columns of `market_gap`. A gap that begins at an unknown time has no `from_time`. */
function gapColumns(context: ColumnContext): readonly Column<EventRow<Gap>>[] {
  const { topic, partition, decimals } = context;
  return [
    text('exchange', ({ event }) => event.exchange),
    text('symbol', ({ event }) => event.symbol),
    optionalText('channel', ({ event }) => event.channel),
    optionalTimestamp('from_time', ({ event }) => (event.from === 0n ? undefined : toEpochMicros(event.from))),
    timestamp('to_time', ({ event }) => toEpochMicros(event.to)),
    optionalText('cause', ({ event }) => event.cause),
    uint64('missed', ({ event }) => event.missed),
    exact(decimals, 'missed_volume', ({ event }) => event.missedVolume),
    text('detail', ({ event }) => event.detail),
    text('log_topic', () => topic),
    int32('log_partition', () => partition),
    int64('log_offset', ({ offset }) => offset),
    spare(decimals, 'missed_volume', ({ event }) => event.missedVolume),
  ];
}

function exact<Row>(decimals: DecimalEncoder, name: string, value: (row: Row) => Decimal | undefined): Column<Row> {
  return decimal(name, (row) => {
    const number = value(row);
    return number === undefined ? null : decimals.encode(number);
  });
}

/** The digits of a value that DECIMAL(38,12) cannot hold; null for every other. */
function spare<Row>(decimals: DecimalEncoder, name: string, value: (row: Row) => Decimal | undefined): Column<Row> {
  return optionalText(`${name}_text`, (row) => {
    const number = value(row);
    return number !== undefined && decimals.encode(number) === null ? number : undefined;
  });
}

function encodedLevels(decimals: DecimalEncoder, side: readonly Level[]): EncodedLevel[] {
  return side.map(({ price, quantity }) => ({ price: decimals.encode(price), quantity: decimals.encode(quantity) }));
}

/** A whole side as SQL has it, `[{"price": "…", "quantity": "…"}]`, if one of its values does not fit. */
function spareLevels(side: readonly Level[], encoded: readonly EncodedLevel[]): string | undefined {
  const fits = encoded.every(({ price, quantity }) => price !== null && quantity !== null);
  return fits ? undefined : JSON.stringify(side.map(({ price, quantity }) => ({ price, quantity })));
}
