import { createHash } from 'node:crypto';
import { logPositionText, type EventLog } from '@aipx/event-log';
import { parseDecimal, toEpochMicros, type MarketEvent } from '@aipx/market-model';
import { EVENT_TOPICS } from '@aipx/market-proto';
import { book, entryOf, gap, START, tick } from '@aipx/market-proto/testing';
import { decodeRecord } from '@aipx/recording';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hotDatabase, type TestDatabase, testLog, TOPICS } from '../src/testing/index.js';
import { recordedLog } from './support/recorded-log.js';
import { hotStore, record } from './support/recording.js';
import { afterRetention, deadLettersOf, publish, recordsOf, underId } from './support/test-log.js';

const NOTHING = {
  recovered: 0,
  recoveredGap: 0,
  tick: 0,
  orderbook: 0,
  gap: 0,
  retentionGap: 0,
  duplicates: 0,
  conflicts: 0,
  dlq: 0,
  gapDlq: 0,
};

describe('what is stored', () => {
  it('a tick has every column of its trade, digit for digit', async () => {
    const { log, sql, drained } = await recordedLog();
    await publish(log, [tick(0, { price: '0.00000001' as never, timestamp: START + 712_345_678n })]);
    await drained();
    const [row] = await sql(`SELECT *, to_char(time, 'YYYY-MM-DD"T"HH24:MI:SS.US') AS at FROM tick_data`);
    expect(row).toMatchObject({
      at: '2021-04-17T16:51:02.712345',
      exchange: 'upbit',
      symbol: 'KRW-S0',
      price: '0.00000001',
      volume: '46.48838371',
      change: '-4',
      change_rate: '-0.0191',
      side: 'BUY',
      trade_id: '1618678262000003',
      log_offset: '0',
    });
  });

  it('a tick has NULL where the venue printed nothing', async () => {
    const { log, sql, drained } = await recordedLog();
    await publish(log, [tick(0, { change: undefined, changeRate: undefined, side: undefined })]);
    await drained();
    expect(await sql('SELECT change, change_rate, side FROM tick_data')).toEqual([
      { change: null, change_rate: null, side: null },
    ]);
  });

  it('a book has its levels best first, as decimal text', async () => {
    const { log, sql, drained } = await recordedLog();
    await publish(log, [book(0), book(7, { bids: [], asks: [] })]);
    await drained();
    const rows = await sql(
      'SELECT bids, asks, total_bid_quantity, total_ask_quantity FROM orderbook ORDER BY log_offset',
    );
    expect(rows).toEqual([
      {
        bids: [
          { price: '100', quantity: '1.5' },
          { price: '99', quantity: '20' },
        ],
        asks: [
          { price: '101', quantity: '0.00000001' },
          { price: '102', quantity: '3' },
        ],
        total_bid_quantity: '21.5',
        total_ask_quantity: null,
      },
      { bids: [], asks: [], total_bid_quantity: '21.5', total_ask_quantity: null },
    ]);
  });

  it('a Gap has no beginning when nothing is known of the time before', async () => {
    const { log, sql, drained } = await recordedLog();
    const detail = 'tab\there, line\nbreak, back\\slash, \\N and "quotes"';
    await publish(log, [gap(0, { from: 0n, channel: undefined, cause: undefined, missed: 2n ** 64n - 1n, detail })]);
    await drained();
    expect(await sql('SELECT * FROM market_gap')).toMatchObject([
      { from_time: null, channel: null, cause: null, missed: '18446744073709551615', detail, log_topic: 'market.gap' },
    ]);
  });

  it('is the log, whatever the batches: every record once, in its place', async () => {
    const events = fc.array(fc.constantFrom('tick', 'orderbook', 'gap'), { minLength: 1, maxLength: 60 });
    const batching = fc.record({
      batchSize: fc.integer({ min: 1, max: 30 }),
      maxBufferedRecords: fc.integer({ min: 1, max: 30 }),
    });
    const database = await hotDatabase();
    const store = hotStore(database.address);
    await fc.assert(
      fc.asyncProperty(fc.array(events, { minLength: 1, maxLength: 4 }), batching, async (appends, options) => {
        await database.sql('TRUNCATE tick_data, orderbook, market_gap, log_position');
        const log = await testLog();
        const recording = record(log, store, options);
        let n = 0;
        for (const kinds of appends) {
          await publish(
            log,
            kinds.map((kind) => eventOf(kind, n++)),
          );
        }
        await recording.drain();
        await recording.stop();
        expect(await storedPlaces(database.sql)).toEqual(await loggedPlaces(log));
        expect(await storedPositions(database.sql)).toEqual(await logEnds(log));
        const { counts } = recording.recorder;
        expect(counts.tick + counts.orderbook + counts.gap).toBe(n);
      }),
      { numRuns: 30 },
    );
  });
});

describe('a recorder that begins', () => {
  it('takes what is in the log already and counts it as recovered, Gaps apart', async () => {
    const log = await testLog();
    await publish(log, [tick(0), tick(1), book(2), gap(3)]);
    const { drained, recorder } = await recordedLog({}, log);
    await drained();
    expect(recorder.counts).toEqual({ ...NOTHING, recovered: 3, recoveredGap: 1, tick: 2, orderbook: 1, gap: 1 });
  });

  it('goes on where the one before it stopped, and stores nothing twice', async () => {
    const log = await testLog();
    const database = await hotDatabase();
    await publish(log, [tick(0), tick(1), book(2)]);
    const first = record(log, hotStore(database.address));
    await first.drain();
    await first.stop();
    await publish(log, [tick(3), gap(4)]);
    const second = record(log, hotStore(database.address));
    await second.drain();
    expect(second.recorder.counts).toEqual({ ...NOTHING, recovered: 1, recoveredGap: 1, tick: 1, gap: 1 });
    expect(await storedPlaces(database.sql)).toEqual(await loggedPlaces(log));
  });

  it.each([
    ['a topic that was made anew and is longer', 5, 'the record at 2 is not the one that was stored'],
    ['a topic that was made anew and is shorter', 2, "the position 3 is behind the log's end 2"],
    ['another cluster', 3, 'is of log '],
  ])('refuses %s and names the way out', async (what, records, fault) => {
    const log = await testLog(1);
    const database = await hotDatabase();
    await publish(log, [tick(0), tick(1), tick(2)]);
    const first = record(log, hotStore(database.address));
    await first.drain();
    await first.stop();
    const other = await testLog(1);
    await publish(
      other,
      Array.from({ length: records }, (_, n) => tick(100 + n)),
    );
    const second = record(what === 'another cluster' ? other : underId(other, log.id), hotStore(database.address));
    await expect(second.running).rejects.toMatchObject({ code: 'STORE_LOG_MISMATCH' });
    await expect(second.running).rejects.toThrow(`in market.tick/0, `);
    await expect(second.running).rejects.toThrow(fault);
    await expect(second.running).rejects.toThrow('another database and another S3_PREFIX');
    expect(await database.sql('SELECT count(*) FROM tick_data')).toEqual([{ count: '3' }]);
  });

  it('stores a stretch that retention took as a Gap, in the transaction that moves the position', async () => {
    const log = await testLog(1);
    const database = await hotDatabase();
    await publish(log, [tick(0), tick(1)]);
    const first = record(log, hotStore(database.address));
    await first.drain();
    await first.stop();
    await publish(log, [tick(2), tick(3), tick(4), tick(5)]);

    const second = record(afterRetention(log, EVENT_TOPICS.tick, 5n), hotStore(database.address));
    await second.drain();
    const [first5] = await log.read({ topic: EVENT_TOPICS.tick, partition: 0 }, 5n, { maxRecords: 1, maxBytes: 1 });
    expect(await database.sql('SELECT * FROM market_gap')).toEqual([
      {
        exchange: '',
        symbol: '',
        channel: 'tick',
        from_time: null,
        to_time: new Date(Number((first5?.appendedAt ?? 0n) / 1_000_000n)),
        cause: 'RETENTION',
        missed: '3',
        missed_volume: null,
        detail: 'offsets 2 to 4 of market.tick/0 were gone from the log before they were read',
        log_topic: 'market.tick',
        log_partition: 0,
        log_offset: null,
      },
    ]);
    expect(second.recorder.counts).toEqual({ ...NOTHING, recovered: 1, tick: 1, retentionGap: 1 });
    expect(await logEnds(log)).toEqual(await storedPositions(database.sql));

    await second.stop();
    const third = record(afterRetention(log, EVENT_TOPICS.tick, 5n), hotStore(database.address));
    await third.drain();
    expect(await database.sql('SELECT count(*) FROM market_gap')).toEqual([{ count: '1' }]);
  });

  it('makes no Gap at the beginning of a log whose first records are gone', async () => {
    const log = await testLog(1);
    await publish(log, [tick(0), tick(1), tick(2)]);
    const { sql, drained, recorder } = await recordedLog({}, afterRetention(log, EVENT_TOPICS.tick, 2n));
    await drained();
    expect(await sql('SELECT count(*) FROM market_gap')).toEqual([{ count: '0' }]);
    expect(recorder.counts).toEqual({ ...NOTHING, recovered: 1, tick: 1 });
  });
});

describe('batches', () => {
  it('are written when they are full, before anybody asks', async () => {
    const commits = Promise.withResolvers<number>();
    const { log } = await recordedLog({ batchSize: 3, batchTimeoutMs: 3_600_000, onCommit: commits.resolve });
    await publish(log, [tick(0), tick(7), tick(14)]);
    expect(await commits.promise).toBe(3);
  });

  it('are written when they have waited long enough, however small', async () => {
    const commits = Promise.withResolvers<number>();
    const { log } = await recordedLog({ batchTimeoutMs: 10, onCommit: commits.resolve });
    await publish(log, [tick(0)]);
    expect(await commits.promise).toBe(1);
  });

  it('leave the rest in the log when too many wait', async () => {
    const sizes: number[] = [];
    const log = await testLog(1);
    await publish(
      log,
      Array.from({ length: 5000 }, (_, n) => tick(n)),
    );
    const { drained, recorder } = await recordedLog(
      { maxBufferedRecords: 100, onCommit: (rows) => sizes.push(rows) },
      log,
    );
    await drained();
    expect(recorder.counts.tick).toBe(5000);
    // One call of the log hands over at most 2000, and only while fewer than 100 wait.
    expect(Math.max(...sizes)).toBeLessThan(2100);
  });
});

describe('bad records', () => {
  it('go to the dead letters alone, with their bytes and the reason', async () => {
    const { log, sql, drained, recorder } = await recordedLog();
    const bad = { ...entryOf(tick(1)), value: Buffer.from('no protobuf') };
    await log.append([entryOf(tick(0)), bad, entryOf(tick(2))]);
    await drained();
    expect(recorder.counts).toMatchObject({ tick: 2, dlq: 1 });
    const [letter, ...others] = await deadLettersOf(log);
    expect(others).toEqual([]);
    expect(Buffer.from(letter?.value ?? [])).toEqual(bad.value);
    expect(letter?.headers).toMatchObject({ exchange: 'upbit', reason: 'VALIDATION_RECORD' });
    const record = (await recordsOf(log, [EVENT_TOPICS.tick])).find(({ key }) => key === bad.key);
    expect(letter?.key).toBe(record && logPositionText(record));
    expect(await storedPositions(sql)).toEqual(await logEnds(log));
  });

  it('that the database refuses are found among 5,000 good ones', async () => {
    const log = await testLog(1);
    const poison = tick(3210, { tradeId: 'nul \0 byte' });
    // One that is too long for an index, and does not compress.
    const digests = Array.from({ length: 100 }, (_, n) => createHash('sha256').update(`${n}`).digest('hex'));
    const long = tick(17, { tradeId: digests.join('') });
    const huge = tick(4999, { volume: parseDecimal('12345.6') });
    const barred = tick(1000, { symbol: 'KRW-BARRED' });
    const bad = new Map([poison, long, huge, barred].map((event, n) => [[3210, 17, 4999, 1000][n], event]));
    await publish(
      log,
      Array.from({ length: 5000 }, (_, n) => bad.get(n) ?? tick(n)),
    );
    const { sql, drained, recorder } = await recordedLog(
      {},
      log,
      `CHECK (symbol <> 'KRW-BARRED' AND volume::numeric(12, 8) IS NOT NULL)`,
    );
    await drained();
    expect(recorder.counts).toMatchObject({ tick: 4996, dlq: 4, duplicates: 0, conflicts: 0 });
    expect((await deadLettersOf(log)).map(({ key, headers }) => [key, headers['reason']])).toEqual(
      expect.arrayContaining([
        ['market.tick/0/3210', 'STORE_REFUSED'],
        ['market.tick/0/17', 'STORE_REFUSED'],
        ['market.tick/0/4999', 'STORE_REFUSED'],
        ['market.tick/0/1000', 'STORE_REFUSED'],
      ]),
    );
    expect(await sql('SELECT count(*) FROM tick_data')).toEqual([{ count: '4996' }]);
  });

  it('are no reason to forget an undecodable Gap', async () => {
    const { log, drained, recorder } = await recordedLog();
    await log.append([{ ...entryOf(gap(0)), value: Buffer.from('no protobuf') }]);
    await drained();
    expect(recorder.counts).toEqual({ ...NOTHING, gapDlq: 1 });
    expect(await deadLettersOf(log)).toHaveLength(1);
  });
});

describe('venue duplicates', () => {
  it('are absorbed and counted, within a batch and across batches', async () => {
    const { log, sql, drained, recorder } = await recordedLog();
    await publish(log, [tick(0), tick(1), tick(0)]);
    await drained();
    await publish(log, [tick(1, { receivedTimestamp: START + 99n, streamType: 'SNAPSHOT' }), tick(2), tick(8)]);
    await drained();
    expect(recorder.counts).toMatchObject({ tick: 4, duplicates: 2, conflicts: 0, dlq: 0 });
    expect(await sql('SELECT count(*) FROM tick_data')).toEqual([{ count: '4' }]);
    expect(await deadLettersOf(log)).toEqual([]);
  });

  it.each([
    ['price', { price: '1' as never }],
    ['volume', { volume: '1' as never }],
    ['side', { side: 'SELL' as const }],
    ['no side', { side: undefined }],
  ])('with another %s are conflicts: the first stays, the other is kept as a dead letter', async (_, changes) => {
    const { log, sql, drained, recorder } = await recordedLog();
    await publish(log, [tick(0), tick(7), tick(0, changes), tick(0)]);
    await drained();
    expect(recorder.counts).toMatchObject({ tick: 2, duplicates: 1, conflicts: 1, dlq: 0 });
    expect(await sql('SELECT price, volume, side FROM tick_data ORDER BY time LIMIT 1')).toEqual([
      { price: '100', volume: '46.48838371', side: 'BUY' },
    ]);
    const letters = await deadLettersOf(log);
    expect(letters.map(({ headers }) => headers['reason'])).toEqual(['VALIDATION_CONFLICT']);
    expect(decodeRecord({ topic: EVENT_TOPICS.tick, value: letters[0]?.value ?? new Uint8Array() })).toEqual({
      event: tick(0, changes),
    });
  });

  it('are different trades when only the time, the symbol or the venue differs', async () => {
    const { log, drained, recorder } = await recordedLog();
    await publish(log, [
      tick(0),
      tick(0, { timestamp: START + 1_000_000n }),
      tick(0, { symbol: 'KRW-OTHER' }),
      tick(0, { exchange: 'bithumb' }),
    ]);
    await drained();
    expect(recorder.counts).toMatchObject({ tick: 4, duplicates: 0 });
  });

  it('are found beside a record that the database refuses', async () => {
    const { log, drained, recorder } = await recordedLog({}, await testLog(1));
    await publish(log, [tick(0), tick(1), tick(2)]);
    await drained();
    await publish(log, [tick(3), tick(1), tick(4, { tradeId: '\0' }), tick(2, { price: '5' as never }), tick(5)]);
    await drained();
    expect(recorder.counts).toMatchObject({ tick: 5, duplicates: 1, conflicts: 1, dlq: 1 });
  });
});

function eventOf(kind: MarketEvent['kind'], n: number): MarketEvent {
  return kind === 'tick' ? tick(n) : kind === 'orderbook' ? book(n) : gap(n);
}

/** Topic, partition, offset and time of every row, as the tables have them. */
async function storedPlaces(sql: TestDatabase['sql']): Promise<string[]> {
  const rows = await sql(`
    SELECT topic || '/' || log_partition || '/' || log_offset || ' ' || (extract(epoch FROM time) * 1000000)::bigint AS place FROM (
      SELECT 'market.tick' AS topic, log_partition, log_offset, time FROM tick_data
      UNION ALL SELECT 'market.orderbook', log_partition, log_offset, time FROM orderbook
      UNION ALL SELECT log_topic, log_partition, log_offset, to_time FROM market_gap
    ) AS stored`);
  return rows.map(({ place }) => String(place)).sort();
}

async function loggedPlaces(log: EventLog): Promise<string[]> {
  return (await recordsOf(log, TOPICS))
    .map((record) => {
      const decoded = decodeRecord(record);
      if ('error' in decoded) throw decoded.error;
      const { event } = decoded;
      return `${logPositionText(record)} ${toEpochMicros(event.kind === 'gap' ? event.to : event.timestamp)}`;
    })
    .sort();
}

async function storedPositions(sql: TestDatabase['sql']): Promise<string[]> {
  const rows = await sql(
    `SELECT topic || '/' || partition || '/' || next_offset AS place FROM log_position WHERE sink = 'hot'`,
  );
  return rows.map(({ place }) => String(place)).sort();
}

async function logEnds(log: EventLog): Promise<string[]> {
  const partitions = (await Promise.all(TOPICS.map((topic) => log.partitionsOf(topic)))).flat();
  const ends = await Promise.all(
    partitions.map(async (partition) => logPositionText({ ...partition, offset: (await log.range(partition)).end })),
  );
  return ends.sort();
}
