import { randomInt } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Decimal, Gap, Level, MarketEvent, OrderBook, Tick } from '@aipx/market-model';
import { encodeEvent, EVENT_TOPICS } from '@aipx/market-proto';
import { packRecords } from '@aipx/recording';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeBatch } from '../src/parquet/encode-batch.js';
import type { Compression } from '../src/parquet/parquet-table.js';
import { query, type Row } from './support/duckdb.js';
import { anyBook, anyGap, anyTick } from './support/random-events.js';
import { tempFolder } from './support/temp-folder.js';

/** Of each kind of event. */
const BATCHES = 120;
const COMPRESSIONS: readonly Compression[] = ['snappy', 'zstd'];

/** Where an event stands in the log: the batch's number is its partition. */
interface Place {
  readonly log_partition: number;
  readonly log_offset: string;
}

/** Writes every batch as the lake would, and gives DuckDB's rows of all of them in the order of the log. */
async function readBack(batches: readonly (readonly MarketEvent[])[], times: string): Promise<readonly Row[]> {
  const folder = await tempFolder();
  for (const [partition, events] of batches.entries()) {
    const records = packRecords(events.map((event, index) => ({ offset: BigInt(index), value: encodeEvent(event) })));
    const topic = EVENT_TOPICS[events[0]?.kind ?? 'tick'];
    const compression = COMPRESSIONS[partition % 2] ?? 'snappy';
    const { hours, undecodable } = encodeBatch({ partition: { topic, partition }, records, compression });
    expect(undecodable).toEqual([]);
    for (const { hour, bytes } of hours) await writeFile(join(folder, `${partition}-${hour}.parquet`), bytes);
  }
  return query(`SELECT * REPLACE (${times}) FROM '${folder}/*.parquet' ORDER BY log_partition, log_offset`);
}

/** As DuckDB has it: twelve digits behind the point; in the text column when it does not fit. */
function columnsOf(name: string, value: Decimal | undefined): Row {
  const fits = value !== undefined && fitsColumn(value);
  return { [name]: fits ? padded(value) : null, [`${name}_text`]: fits ? null : (value ?? null) };
}

function sideOf(name: string, levels: readonly Level[]): Row {
  const inColumn = (value: Decimal) => (fitsColumn(value) ? padded(value) : null);
  const fits = levels.every(({ price, quantity }) => fitsColumn(price) && fitsColumn(quantity));
  return {
    [name]: levels.map(({ price, quantity }) => ({ price: inColumn(price), quantity: inColumn(quantity) })),
    [`${name}_text`]: fits ? null : JSON.stringify(levels.map(({ price, quantity }) => ({ price, quantity }))),
  };
}

function fitsColumn(value: Decimal): boolean {
  return /^-?\d{1,26}(\.\d{1,12})?$/.test(value);
}

function padded(value: Decimal): string {
  const [whole = '', fraction = ''] = value.split('.');
  return `${whole}.${fraction.padEnd(12, '0')}`;
}

function micros(nanos: bigint): string {
  return String(nanos / 1000n);
}

function tickRow(event: Tick, place: Place): Row {
  return {
    ...place,
    time: micros(event.timestamp),
    time_ns: String(event.timestamp),
    received_at: micros(event.receivedTimestamp),
    received_ns: String(event.receivedTimestamp),
    exchange: event.exchange,
    symbol: event.symbol,
    ...columnsOf('price', event.price),
    ...columnsOf('volume', event.volume),
    ...columnsOf('change', event.change),
    ...columnsOf('change_rate', event.changeRate),
    side: event.side ?? null,
    trade_id: event.tradeId,
  };
}

function bookRow(event: OrderBook, place: Place): Row {
  return {
    ...place,
    time: micros(event.timestamp),
    time_ns: String(event.timestamp),
    received_at: micros(event.receivedTimestamp),
    received_ns: String(event.receivedTimestamp),
    exchange: event.exchange,
    symbol: event.symbol,
    ...sideOf('bids', event.bids),
    ...sideOf('asks', event.asks),
    ...columnsOf('total_bid_quantity', event.totalBidQuantity),
    ...columnsOf('total_ask_quantity', event.totalAskQuantity),
  };
}

function gapRow(event: Gap, place: Place): Row {
  return {
    ...place,
    log_topic: EVENT_TOPICS.gap,
    exchange: event.exchange,
    symbol: event.symbol,
    channel: event.channel ?? null,
    from_time: event.from === 0n ? null : micros(event.from),
    to_time: micros(event.to),
    cause: event.cause ?? null,
    missed: String(event.missed),
    ...columnsOf('missed_volume', event.missedVolume),
    detail: event.detail,
  };
}

interface Kind<Event> {
  readonly any: fc.Arbitrary<Event>;
  readonly most: number;
  readonly rowOf: (event: Event, place: Place) => Row;
  /** The timestamp columns as numbers: the text of a year beyond 9999 is not compared. */
  readonly times: string;
}

async function expectEqualRows<Event extends MarketEvent>({ any, most, rowOf, times }: Kind<Event>): Promise<void> {
  const seed = randomInt(2 ** 31); // to see a failure again, the one that its message names
  const batches = fc.sample(fc.array(any, { minLength: 1, maxLength: most, size: 'max' }), { seed, numRuns: BATCHES });
  const rows = await readBack(batches, times);
  for (const [partition, batch] of batches.entries()) {
    const read = rows.filter(({ log_partition: number }) => number === partition);
    const given = batch.map((event, offset) => rowOf(event, { log_partition: partition, log_offset: String(offset) }));
    expect(read, `seed ${seed}, batch ${partition}`).toEqual(given);
  }
}

describe('random batches, read by DuckDB, are value for value what was given', () => {
  const times = 'epoch_us(time) AS time, epoch_us(received_at) AS received_at';

  it('of ticks', () => expectEqualRows({ any: anyTick, most: 60, rowOf: tickRow, times }));

  it('of books', () => expectEqualRows({ any: anyBook, most: 15, rowOf: bookRow, times }));

  it('of gaps', () => {
    const gapTimes = 'epoch_us(from_time) AS from_time, epoch_us(to_time) AS to_time';
    return expectEqualRows({ any: anyGap, most: 40, rowOf: gapRow, times: gapTimes });
  });
});
