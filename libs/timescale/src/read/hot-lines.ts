import type { MarketEvent } from '@aipx/market-model';

/** Between the fields of a line, and in place of a field that is NULL. Neither stands in any text of a venue. */
export const FIELD_END = '\x1f';
export const NULL_FIELD = '\x1d';

/** Where the rows of a kind lie, and the SQL that writes each as a line of its fields. */
export interface HotTable {
  readonly table: string;
  /** The event's time. */
  readonly time: string;
  readonly line: string;
  /** Rows that came from the log. */
  readonly recorded: string;
}

/** In the order in which `HotReader.rows` promises the fields. Times in microseconds since 1970, numbers without trailing zeros. */
export const HOT_TABLES: Readonly<Record<MarketEvent['kind'], HotTable>> = {
  tick: {
    table: 'tick_data',
    time: 'time',
    recorded: 'true',
    line: lineOf([
      micros('time'),
      micros('received_at'),
      'exchange',
      'symbol',
      number('price'),
      number('volume'),
      optional(number('change')),
      optional(number('change_rate')),
      optional('side'),
      'trade_id',
    ]),
  },
  orderbook: {
    table: 'orderbook',
    time: 'time',
    recorded: 'true',
    line: lineOf([
      micros('time'),
      micros('received_at'),
      'exchange',
      'symbol',
      'bids::text',
      'asks::text',
      optional(number('total_bid_quantity')),
      optional(number('total_ask_quantity')),
    ]),
  },
  gap: {
    table: 'market_gap',
    time: 'to_time',
    recorded: `log_topic = 'market.gap' AND log_offset IS NOT NULL`,
    line: lineOf([
      micros('to_time'),
      optional(micros('from_time')),
      'exchange',
      'symbol',
      optional('channel'),
      optional('cause'),
      'missed::text',
      optional(number('missed_volume')),
      'detail',
    ]),
  },
};

function lineOf(fields: readonly string[]): string {
  return `concat_ws(chr(31), ${fields.join(', ')})`;
}

function optional(text: string): string {
  return `coalesce(${text}, chr(29))`;
}

function number(column: string): string {
  return `trim_scale(${column})::text`;
}

function micros(column: string): string {
  return `(extract(epoch FROM ${column}) * 1000000)::bigint::text`;
}
