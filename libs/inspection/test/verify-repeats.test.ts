import { DEAD_LETTER_TOPIC, type EventLog } from '@aipx/event-log';
import { parseDecimal } from '@aipx/market-model';
import { book, entryOf, START, tick } from '@aipx/market-proto/testing';
import { describe, expect, it } from 'vitest';
import { recorded } from './support/recorded.js';

const SECOND = 1_000_000_000n;

/** Trades of one symbol, so that all of them are in one partition, a second apart. */
function trades(count: number) {
  return Array.from({ length: count }, (_, n) => tick(7 * n, { timestamp: START + BigInt(n) * SECOND }));
}

/** The log as it is after retention took what lay before an offset. */
function retained(log: EventLog, begin: bigint): EventLog {
  return new Proxy(log, {
    get: (target, name) => {
      if (name === 'range') {
        return async (partition: Parameters<EventLog['range']>[0]) => {
          const range = await target.range(partition);
          return partition.topic === DEAD_LETTER_TOPIC || range.begin >= begin || range.end <= begin
            ? range
            : { ...range, begin };
        };
      }
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

describe('what verify does not take for lost or doubled', () => {
  it('counts a trade that the venue sent again', async () => {
    const all = trades(5);
    const { check } = await recorded([...all, ...all.slice(2, 4)].map(entryOf));
    const { found, total } = await check();
    expect(found).toEqual([]);
    expect(total).toMatchObject({ log: 7, database: 5, lake: 7, venueDuplicates: 2, lost: 0 });
  });

  it('names a trade under the id of another one as a conflict, by its dead letter', async () => {
    const all = trades(5);
    const [first] = all;
    if (first === undefined) throw new Error('no trade');
    const { check } = await recorded([...all, { ...first, price: parseDecimal('0.5') }].map(entryOf));
    const { found, total } = await check();
    expect(found).toMatchObject([
      {
        kind: 'conflict',
        store: 'database',
        offset: 5n,
        symbol: first.symbol,
        says: expect.stringContaining('has price 0.5'),
      },
    ]);
    expect(total).toMatchObject({
      log: 6,
      database: 5,
      lake: 6,
      deadLetters: 1,
      conflicts: 1,
      lost: 0,
      venueDuplicates: 0,
    });
  });

  it('counts a record that cannot be decoded as a dead letter', async () => {
    const bad = { ...entryOf(tick(0)), value: new Uint8Array([0xff, 0xff, 0xff]) };
    const { check } = await recorded([...trades(3).map(entryOf), bad]);
    const { found, total } = await check();
    expect(found).toEqual([]);
    expect(total).toMatchObject({ log: 4, database: 3, lake: 3, deadLetters: 1, lost: 0 });
  });

  it('compares database and lake where the log has let go, and still names what one of them lost', async () => {
    const bad = { ...entryOf(tick(0)), value: new Uint8Array([0xff, 0xff, 0xff]) };
    const { check, sql, log } = await recorded([bad, ...trades(8).map(entryOf)]);
    await sql('DELETE FROM tick_data WHERE log_offset = 2');
    await sql('UPDATE tick_data SET volume = volume * 2 WHERE log_offset = 4');
    const { found, total } = await check({ log: retained(log, 6n) });
    expect(found).toMatchObject([
      { kind: 'different', offset: 4n, says: 'volume 92.97676742, expected 46.48838371' },
      { kind: 'lost', store: 'database', offset: 2n },
    ]);
    expect(total).toMatchObject({ log: 3, database: 7, lake: 8, deadLetters: 1, lost: 1, different: 1, removed: 0 });
  });

  it('counts what the log let go before the database read it as removed, where its Gap says so', async () => {
    const { check, sql, log } = await recorded(trades(8).map(entryOf));
    const { topic, partition } = log.partitionFor('market.tick', 'KRW-S0');
    await sql('DELETE FROM tick_data WHERE log_offset IN (1, 2, 7)');
    const detail = `offsets 1 to 2 of ${topic}/${partition} were gone from the log before they were read`;
    await sql(
      `INSERT INTO market_gap (to_time, exchange, symbol, cause, missed, detail, log_topic, log_partition)
       VALUES (now(), '', '', 'RETENTION', 2, $1, $2, $3)`,
      [detail, topic, partition],
    );
    const { found, total } = await check({ log: retained(log, 6n) });
    expect(found).toMatchObject([{ kind: 'lost', store: 'database', offset: 7n, says: 'no row' }]);
    expect(total).toMatchObject({ log: 2, database: 5, lake: 8, lost: 1, removed: 2, gaps: 1 });
    expect((await check()).found).toMatchObject([
      { offset: 1n, says: 'no row; a Gap of cause RETENTION names the offset, and the log has it' },
      { offset: 2n },
      { offset: 7n, says: 'no row' },
    ]);
  });

  it('counts rows that the database’s retention dropped as removed', async () => {
    const { check, sql } = await recorded(trades(8).map(entryOf));
    await sql('DELETE FROM tick_data WHERE log_offset < 6');
    const { found, total } = await check({ databaseRetentionMs: 86_400_000 });
    expect(found).toEqual([]);
    expect(total).toMatchObject({ log: 8, database: 2, lake: 8, removed: 6, lost: 0 });
  });

  it('looks at nothing outside of the times or offsets that are asked for', async () => {
    const { check, sql, log } = await recorded(trades(20).map(entryOf));
    await sql('DELETE FROM tick_data WHERE log_offset IN (1, 19)');
    const times = await check({ range: { from: START + 5n * SECOND, to: START + 15n * SECOND } });
    expect(times.total).toMatchObject({ log: 10, database: 10, lake: 10, lost: 0 });
    const { topic, partition } = log.partitionFor('market.tick', 'KRW-S0');
    const offsets = await check({ range: { topic, partition, offsets: { begin: 15n, end: 20n } } });
    expect(offsets.total).toMatchObject({ log: 5, database: 4, lake: 5, lost: 1 });
  });

  it('refuses a database that belongs to another log, and says how to find the right one', async () => {
    const { check, sql } = await recorded([entryOf(book(1))]);
    await sql(`UPDATE log_position SET log_id = 'another'`);
    await expect(check()).rejects.toMatchObject({
      code: 'STORE_LOG_MISMATCH',
      message: expect.stringContaining('check KAFKA_BROKERS'),
    });
  });

  it('says who is behind when the stores do not come so far in time', async () => {
    const { check, log } = await recorded([entryOf(book(1))]);
    await log.append([entryOf(book(8))]);
    expect((await check()).scopes.some(({ log: { end }, compared }) => compared.end === 1n && end === 2n)).toBe(true);
    await expect(check({ waitMs: 10 })).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: expect.stringMatching(/ends at 2, and after 10 ms the database at 1 and the lake at 1/),
    });
  });
});
