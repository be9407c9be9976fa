import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { compareDecimal, parseDecimal, type Decimal, type Level, type MarketEvent } from '@aipx/market-model';
import { encodeEvent, EVENT_TOPICS } from '@aipx/market-proto';
import { level } from '@aipx/market-proto/testing';
import { packRecords } from '@aipx/recording';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeBatch } from '../src/parquet/encode-batch.js';
import type { Compression } from '../src/parquet/parquet-table.js';
import { allOf, query, type Row } from './support/duckdb.js';
import { book, gap, NEARLY_TWO, SECOND, tick } from './support/events.js';
import { tempFolder } from './support/temp-folder.js';

const LARGEST = '99999999999999999999999999.999999999999';
const TOO_WIDE = '100000000000000000000000000';
const TOO_FINE = '0.1234567890123';

function encoded(events: readonly MarketEvent[], compression: Compression = 'snappy') {
  const topic = EVENT_TOPICS[events[0]?.kind ?? 'tick'];
  const records = packRecords(events.map((event, index) => ({ offset: BigInt(index), value: encodeEvent(event) })));
  return encodeBatch({ partition: { topic, partition: 3 }, records, compression });
}

/** Writes the events' files where the lake would, and returns DuckDB's rows of all of them in the order of the log. */
async function readBack(events: readonly MarketEvent[], compression: Compression = 'snappy'): Promise<readonly Row[]> {
  const folder = await tempFolder();
  const kind = events[0]?.kind ?? 'tick';
  for (const { hour, bytes } of encoded(events, compression).hours) {
    const [year, month, day, clock] = hour.split(/[-T]/);
    const path = join(folder, `market-data/${kind}/year=${year}/month=${month}/day=${day}/hour=${clock}/file.parquet`);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, bytes);
  }
  return query(`SELECT * FROM ${allOf(folder, kind)} ORDER BY log_offset`);
}

/** The number that stands in a column or, when it does not fit there, in its text column. */
function numberOf(row: Row, name: string): Decimal | undefined {
  const value = row[name] ?? row[`${name}_text`];
  return value === null ? undefined : parseDecimal(String(value));
}

function sideOf(row: Row, name: string): Level[] {
  const side = row[`${name}_text`] === null ? row[name] : JSON.parse(String(row[`${name}_text`]));
  return (side as { price: string; quantity: string }[]).map((level) => ({
    price: parseDecimal(level.price),
    quantity: parseDecimal(level.quantity),
  }));
}

describe('a Parquet file of ticks, read by DuckDB', () => {
  it('has the columns of tick_data and those that keep what SQL rounds', async () => {
    const [row] = await readBack([tick({ timestamp: NEARLY_TWO + 123_456_789n })]);
    expect(row).toEqual({
      time: '2024-05-01 13:59:58.123456+00',
      exchange: 'upbit',
      symbol: 'KRW-S0',
      price: '100.000000000000',
      volume: '46.488383710000',
      change: '-4.000000000000',
      change_rate: '-0.019100000000',
      side: 'BUY',
      trade_id: '1618678262000003',
      received_at: '2024-05-01 13:59:58.007123+00',
      log_partition: 3,
      log_offset: '0',
      time_ns: '1714571998123456789',
      received_ns: '1714571998007123456',
      price_text: null,
      volume_text: null,
      change_text: null,
      change_rate_text: null,
      year: '2024',
      month: '05',
      day: '01',
      hour: '13',
    });
  });

  it('declares exact types', async () => {
    const folder = await tempFolder();
    const [file] = encoded([tick()]).hours;
    await writeFile(join(folder, 'tick.parquet'), file?.bytes ?? expect.fail());
    const types = await query(`DESCRIBE SELECT * FROM '${folder}/tick.parquet'`);
    expect(Object.fromEntries(types.map((column) => [column['column_name'], column['column_type']]))).toMatchObject({
      time: 'TIMESTAMP WITH TIME ZONE',
      received_at: 'TIMESTAMP WITH TIME ZONE',
      time_ns: 'BIGINT',
      price: 'DECIMAL(38,12)',
      change_rate: 'DECIMAL(38,12)',
      log_offset: 'BIGINT',
      price_text: 'VARCHAR',
    });
    const [schema] = await query(
      `SELECT logical_type FROM parquet_schema('${folder}/tick.parquet') WHERE name = 'time'`,
    );
    expect(schema?.['logical_type']).toMatch(/isAdjustedToUTC=1.*MICROS/);
  });

  it.each([LARGEST, '0.000000000001', '0.1234567890123', TOO_WIDE, TOO_FINE, `${TOO_WIDE}.5`, '97000000'])(
    'holds a price of %s exactly, in the text column when it does not fit',
    async (price) => {
      const [row] = await readBack([tick({ price: parseDecimal(price), change: parseDecimal(`-${price}`) })]);
      expect(numberOf(row ?? {}, 'price')).toBe(parseDecimal(price));
      expect(numberOf(row ?? {}, 'change')).toBe(parseDecimal(`-${price}`));
      expect([row?.['price'], row?.['price_text']].filter((value) => value === null)).toHaveLength(1);
    },
  );

  it('leaves empty what the venue did not print', async () => {
    const [row] = await readBack([tick({ change: undefined, changeRate: undefined, side: undefined })]);
    expect(row).toMatchObject({ change: null, change_text: null, change_rate: null, side: null });
  });

  it('is one file for each hour of event time, and one glob reads them all', async () => {
    const times = [0n, 3_600n, 7_200n, 1n].map((seconds) => NEARLY_TWO + seconds * SECOND);
    const rows = await readBack(times.map((timestamp) => tick({ timestamp })));
    expect(rows.map((row) => [row['log_offset'], row['hour']])).toEqual([
      ['0', '13'],
      ['1', '14'],
      ['2', '15'],
      ['3', '13'],
    ]);
  });
});

describe('a Parquet file of books, read by DuckDB', () => {
  it('holds both sides as lists of price and quantity, empty ones included', async () => {
    const [row, oneSided] = await readBack([book(), book({ asks: [], totalAskQuantity: undefined })]);
    expect(row).toMatchObject({
      bids: [
        { price: '100.000000000000', quantity: '1.500000000000' },
        { price: '99.000000000000', quantity: '20.000000000000' },
      ],
      asks: [
        { price: '101.000000000000', quantity: '0.000000010000' },
        { price: '102.000000000000', quantity: '3.000000000000' },
      ],
      total_bid_quantity: '21.500000000000',
      bids_text: null,
    });
    expect(oneSided).toMatchObject({ asks: [], asks_text: null, total_ask_quantity: null });
  });

  it('keeps a side with a value that does not fit as text, and that value null in the list', async () => {
    const bids = [level('2', TOO_WIDE), level('1', '3')];
    const [row] = await readBack([book({ bids })]);
    expect(row?.['bids']).toEqual([
      { price: '2.000000000000', quantity: null },
      { price: '1.000000000000', quantity: '3.000000000000' },
    ]);
    expect(JSON.parse(String(row?.['bids_text']))).toEqual(bids);
    expect(row?.['asks_text']).toBeNull();
  });
});

describe('a Parquet file of gaps, read by DuckDB', () => {
  it('has the columns of market_gap, and no begin where it is unknown', async () => {
    const [row, unknown] = await readBack([
      gap({ missed: 3n, missedVolume: parseDecimal('1.5') }),
      gap({ from: 0n, channel: undefined, cause: undefined, missedVolume: undefined, missed: 2n ** 64n - 1n }),
    ]);
    expect(row).toMatchObject({
      exchange: 'upbit',
      channel: 'tick',
      from_time: '2024-05-01 13:59:58+00',
      to_time: '2024-05-01 14:00:03+00',
      cause: 'RECONNECT',
      missed: '3',
      missed_volume: '1.500000000000',
      detail: 'socket closed with 1006',
      log_topic: 'market.gap',
      log_partition: 3,
      hour: '14',
    });
    expect(unknown).toMatchObject({
      from_time: null,
      channel: null,
      cause: null,
      missed_volume: null,
      missed: '18446744073709551615',
    });
  });
});

const digits = fc.stringMatching(/^\d{1,28}(\.\d{1,14})?$/);
const positive = digits.map((text) => parseDecimal(text)).filter((value) => value !== '0');
const signed = fc.tuple(fc.boolean(), digits).map(([negative, text]) => parseDecimal(`${negative ? '-' : ''}${text}`));
const side = (descending: boolean) =>
  fc.uniqueArray(positive, { maxLength: 30 }).chain((prices) =>
    fc.tuple(...prices.map(() => positive)).map((quantities) => {
      const sorted = prices.toSorted((a, b) => (descending ? compareDecimal(b, a) : compareDecimal(a, b)));
      return sorted.map((price, index) => ({ price, quantity: quantities[index] ?? price }));
    }),
  );

describe.each<Compression>(['snappy', 'zstd'])('any batch, compressed with %s', (compression) => {
  it('of ticks reads back number by number', async () => {
    const any = fc.record({
      price: positive,
      volume: positive,
      change: fc.option(signed, { nil: undefined }),
      changeRate: fc.option(signed, { nil: undefined }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(any, { minLength: 1, maxLength: 60 }), async (batch) => {
        const rows = await readBack(
          batch.map((fields) => tick(fields)),
          compression,
        );
        const numbers = rows.map((row) => ({
          price: numberOf(row, 'price'),
          volume: numberOf(row, 'volume'),
          change: numberOf(row, 'change'),
          changeRate: numberOf(row, 'change_rate'),
        }));
        expect(numbers).toEqual(batch);
      }),
      { numRuns: 15 },
    );
  });

  it('of books reads back level by level', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ bids: side(true), asks: side(false) }), { minLength: 1, maxLength: 40 }),
        async (batch) => {
          const rows = await readBack(
            batch.map((fields) => book(fields)),
            compression,
          );
          expect(rows.map((row) => ({ bids: sideOf(row, 'bids'), asks: sideOf(row, 'asks') }))).toEqual(batch);
        },
      ),
      { numRuns: 15 },
    );
  });

  it('is the same bytes when it is written again', () => {
    const events = [tick(), tick({ price: parseDecimal(TOO_FINE) }), tick({ timestamp: NEARLY_TWO + 3_600n * SECOND })];
    expect(encoded(events, compression)).toEqual(encoded(events, compression));
  });
});
