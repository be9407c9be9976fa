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
  constantInt32,
  constantText,
  decimal,
  distinctText,
  int64,
  levels,
  optionalText,
  optionalTimestamp,
  text,
  timestamp,
  uint64,
  type Column,
} from './columns.js';
import { fitsDecimal } from './decimal-limbs.js';
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
  readonly compression: Compression;
}

/**
 * Rows of a row group: they are kept as columns until it is full, so that this memory does not grow with the batch. A book
 * of 15 levels a side is 60 numbers; larger groups would save a few per cent of a file.
 */
const GROUP_ROWS = { tick: 100_000, orderbook: 10_000, gap: 100_000 } as const;

/** An empty table for the events of a topic. */
export function eventTable(context: ColumnContext): EventTable {
  const kind = kindOfTopic(context.topic);
  const options = { compression: context.compression, groupRows: GROUP_ROWS[kind] };
  // A topic's records decode to its own kind of event only, so each table gets the rows that its columns expect.
  switch (kind) {
    case 'tick':
      return new ParquetTable(tickColumns(context), options) as EventTable;
    case 'orderbook':
      return new ParquetTable(orderBookColumns(context), options) as EventTable;
    case 'gap':
      return new ParquetTable(gapColumns(context), options) as EventTable;
  }
}

/** A table that takes events and knows its columns itself. */
export type EventTable = Pick<ParquetTable<EventRow>, 'rows' | 'append' | 'toBytes'>;

/** The columns of `tick_data`, in its order, then what SQL rounds (`*_ns`) and what DECIMAL does not hold (`*_text`). */
function tickColumns({ partition }: ColumnContext): readonly Column<EventRow<Tick>>[] {
  return [
    timestamp('time', ({ event }) => toEpochMicros(event.timestamp)),
    text('exchange', ({ event }) => event.exchange),
    text('symbol', ({ event }) => event.symbol),
    decimal('price', ({ event }) => event.price),
    decimal('volume', ({ event }) => event.volume),
    decimal('change', ({ event }) => event.change),
    decimal('change_rate', ({ event }) => event.changeRate),
    optionalText('side', ({ event }) => event.side),
    distinctText('trade_id', ({ event }) => event.tradeId),
    timestamp('received_at', ({ event }) => toEpochMicros(event.receivedTimestamp)),
    constantInt32('log_partition', partition),
    int64('log_offset', ({ offset }) => offset),
    int64('time_ns', ({ event }) => event.timestamp),
    int64('received_ns', ({ event }) => event.receivedTimestamp),
    spare('price', ({ event }) => event.price),
    spare('volume', ({ event }) => event.volume),
    spare('change', ({ event }) => event.change),
    spare('change_rate', ({ event }) => event.changeRate),
  ];
}

/** The columns of `orderbook`, likewise. */
function orderBookColumns({ partition }: ColumnContext): readonly Column<EventRow<OrderBook>>[] {
  return [
    timestamp('time', ({ event }) => toEpochMicros(event.timestamp)),
    text('exchange', ({ event }) => event.exchange),
    text('symbol', ({ event }) => event.symbol),
    levels('bids', ({ event }) => event.bids),
    levels('asks', ({ event }) => event.asks),
    decimal('total_bid_quantity', ({ event }) => event.totalBidQuantity),
    decimal('total_ask_quantity', ({ event }) => event.totalAskQuantity),
    timestamp('received_at', ({ event }) => toEpochMicros(event.receivedTimestamp)),
    constantInt32('log_partition', partition),
    int64('log_offset', ({ offset }) => offset),
    int64('time_ns', ({ event }) => event.timestamp),
    int64('received_ns', ({ event }) => event.receivedTimestamp),
    spareLevels('bids_text', ({ event }) => event.bids),
    spareLevels('asks_text', ({ event }) => event.asks),
    spare('total_bid_quantity', ({ event }) => event.totalBidQuantity),
    spare('total_ask_quantity', ({ event }) => event.totalAskQuantity),
  ];
}

/** The columns of `market_gap`. A gap that begins at an unknown time has no `from_time`. */
function gapColumns({ topic, partition }: ColumnContext): readonly Column<EventRow<Gap>>[] {
  return [
    text('exchange', ({ event }) => event.exchange),
    text('symbol', ({ event }) => event.symbol),
    optionalText('channel', ({ event }) => event.channel),
    optionalTimestamp('from_time', ({ event }) => (event.from === 0n ? undefined : toEpochMicros(event.from))),
    timestamp('to_time', ({ event }) => toEpochMicros(event.to)),
    optionalText('cause', ({ event }) => event.cause),
    uint64('missed', ({ event }) => event.missed),
    decimal('missed_volume', ({ event }) => event.missedVolume),
    text('detail', ({ event }) => event.detail),
    constantText('log_topic', topic),
    constantInt32('log_partition', partition),
    int64('log_offset', ({ offset }) => offset),
    spare('missed_volume', ({ event }) => event.missedVolume),
  ];
}

/** The digits of a value that DECIMAL(38,12) cannot hold; null for every other. */
function spare<Row>(name: string, value: (row: Row) => Decimal | undefined): Column<Row> {
  return optionalText(`${name}_text`, (row) => {
    const number = value(row);
    return number === undefined || fitsDecimal(number) ? undefined : number;
  });
}

/** A whole side as SQL has it, `[{"price": "…", "quantity": "…"}]`, if one of its values does not fit. */
function spareLevels<Row>(name: string, side: (row: Row) => readonly Level[]): Column<Row> {
  return optionalText(name, (row) => {
    const given = side(row);
    const fits = given.every(({ price, quantity }) => fitsDecimal(price) && fitsDecimal(quantity));
    return fits ? undefined : JSON.stringify(given.map(({ price, quantity }) => ({ price, quantity })));
  });
}
