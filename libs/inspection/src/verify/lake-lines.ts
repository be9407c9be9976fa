import type { MarketEvent } from '@aipx/market-model';
import { sqlPaths } from '../duckdb.js';

type Kind = MarketEvent['kind'];

/** Between the rows of a text. */
export const ROW_END = '\x1e';

/** Rows that one text holds at most: taking texts out of DuckDB costs by their number, not by their length. */
const ROWS_A_TEXT = 1024;

const LINES: Readonly<Record<Kind, string>> = {
  tick: lineOf([
    'epoch_us(time)',
    'epoch_us(received_at)',
    'exchange',
    'symbol',
    number('price'),
    number('volume'),
    number('change'),
    number('change_rate'),
    optional('side'),
    'trade_id',
    'time_ns',
    'received_ns',
  ]),
  orderbook: lineOf([
    'epoch_us(time)',
    'epoch_us(received_at)',
    'exchange',
    'symbol',
    levels('bids'),
    levels('asks'),
    number('total_bid_quantity'),
    number('total_ask_quantity'),
    'time_ns',
    'received_ns',
  ]),
  gap: lineOf([
    'epoch_us(to_time)',
    optional('epoch_us(from_time)::VARCHAR'),
    'exchange',
    'symbol',
    optional('channel'),
    optional('cause'),
    'missed',
    number('missed_volume'),
    'detail',
  ]),
};

const TIME_NS: Readonly<Record<Kind, string>> = {
  tick: 'time_ns',
  orderbook: 'time_ns',
  gap: '(epoch_us(to_time) * 1000)',
};

export interface LakeRowFilter {
  /** Half open. */
  readonly begin: bigint;
  readonly end: bigint;
  /** Half open, nanoseconds of event time. */
  readonly from?: bigint;
  readonly to?: bigint;
}

/**
 * The rows of Parquet files in the order of the log, as texts of up to `ROWS_A_TEXT` rows parted by `ROW_END`; of each
 * row the offset, then its fields.
 */
export function lakeRowsSql(kind: Kind, paths: readonly string[], { begin, end, from, to }: LakeRowFilter): string {
  const since = from === undefined ? '' : ` AND ${TIME_NS[kind]} >= ${from}`;
  const until = to === undefined ? '' : ` AND ${TIME_NS[kind]} < ${to}`;
  return `
    SELECT string_agg(line, chr(30) ORDER BY log_offset)
    FROM (
      SELECT log_offset, log_offset || chr(31) || ${LINES[kind]} AS line
      FROM read_parquet(${sqlPaths(paths)}, hive_partitioning = false, union_by_name = true)
      WHERE log_offset >= ${begin} AND log_offset < ${end}${since}${until}
    )
    GROUP BY log_offset // ${ROWS_A_TEXT} ORDER BY log_offset // ${ROWS_A_TEXT}`;
}

function lineOf(fields: readonly string[]): string {
  return fields.join(' || chr(31) || ');
}

function optional(text: string): string {
  return `coalesce(${text}, chr(29))`;
}

/** Both columns: a value stands in one of them only, else the digits of both are here and equal to nothing. */
function number(name: string): string {
  return optional(`nullif(concat(${plainText(name)}, ${name}_text), '')`);
}

/** DECIMAL(38,12) always prints twelve places. */
function plainText(value: string): string {
  return `rtrim(rtrim(${value}::VARCHAR, '0'), '.')`;
}

/** A side as PostgreSQL prints `jsonb`; the text column has it without the spaces. */
function levels(name: string): string {
  const level = `'{"price": "' || ${plainText('level.price')} || '", "quantity": "' || ${plainText('level.quantity')} || '"}'`;
  const spaced = `replace(replace(replace(${name}_text, '":"', '": "'), '","', '", "'), '},{', '}, {')`;
  return `coalesce(${spaced}, '[' || array_to_string(list_transform(${name}, lambda level: ${level}), ', ') || ']')`;
}
