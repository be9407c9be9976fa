import type { EventLog } from '@aipx/event-log';
import type { MarketEvent } from '@aipx/market-model';
import { book, entryOf, tick } from '@aipx/market-proto/testing';
import { describe, expect, it } from 'vitest';
import { hotDatabase, type TestDatabase, testLog } from '../src/testing/index.js';
import { faultProxy } from './support/fault-proxy.js';
import { hotStore, record, type Recording } from './support/recording.js';
import { deadLettersOf, publish } from './support/test-log.js';

const ROWS = 500;
const events = (first: number): MarketEvent[] =>
  Array.from({ length: ROWS }, (_, n) => (n % 5 === 0 ? book(first + n) : tick(first + n)));

describe('a connection that is killed', () => {
  it('in the middle of a COPY costs nothing: the batch is stored by the next one', async () => {
    const database = await hotDatabase();
    // The server ends the connection itself, once, when it has taken half of the rows.
    await database.sql('CREATE SEQUENCE rows_seen');
    await database.sql(`CREATE FUNCTION die_halfway() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      IF nextval('rows_seen') = ${ROWS / 2} THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF; RETURN NEW; END $$`);
    await database.sql('CREATE TRIGGER die BEFORE INSERT ON tick_data FOR EACH ROW EXECUTE FUNCTION die_halfway()');
    const log = await testLog();
    await publish(log, events(0));
    const recording = record(log, hotStore(database.address), { batchSize: ROWS, batchTimeoutMs: 3_600_000 });
    await recording.drain();
    expect(recording.faults).toMatchObject([{ code: 'STORE_UNAVAILABLE', context: { sqlstate: '57P01' } }]);
    await expectAllStoredOnce(database, recording, ROWS);
  });

  it('by the server while it commits is settled by the positions: the batch is stored again', async () => {
    const database = await hotDatabase();
    await database.sql('CREATE SEQUENCE commits_seen');
    await database.sql(`CREATE FUNCTION die_committing() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      IF nextval('commits_seen') = 1 THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF; RETURN NEW; END $$`);
    await database.sql(`CREATE CONSTRAINT TRIGGER die AFTER INSERT ON tick_data DEFERRABLE INITIALLY DEFERRED
      FOR EACH ROW EXECUTE FUNCTION die_committing()`);
    const log = await testLog();
    await publish(log, events(0));
    const recording = record(log, hotStore(database.address));
    await recording.drain();
    await expectAllStoredOnce(database, recording, ROWS);
  });

  it.each(['lost before the server', 'answer lost'] as const)(
    'around a COMMIT (%s) leaves every row stored once and counted once',
    async (fault) => {
      const database = await hotDatabase();
      const proxy = await faultProxy(database.address);
      const log = await testLog();
      const recording = record(log, hotStore(proxy.address));
      await recording.pipeline.ready(AbortSignal.timeout(10_000));
      proxy.cutAtCommit(fault);
      await publish(log, events(0));
      await recording.drain();
      await publish(log, events(ROWS));
      await recording.drain();
      await expectAllStoredOnce(database, recording, 2 * ROWS);
    },
  );
});

describe('an outage of the database', () => {
  it('is waited out; nothing goes to the dead letters', async () => {
    const database = await hotDatabase();
    const proxy = await faultProxy(database.address);
    const log = await testLog();
    const faulty = Promise.withResolvers<undefined>();
    const recording = record(log, watched(proxy.address, faulty.resolve));
    await recording.pipeline.ready(AbortSignal.timeout(10_000));
    await proxy.cut();
    await publish(log, events(0));
    const drained = recording.drain();
    await faulty.promise;
    await proxy.restore();
    await drained;
    expect(recording.faults.length).toBeGreaterThan(0);
    expect(await deadLettersOf(log)).toEqual([]);
    await expectAllStoredOnce(database, recording, ROWS);
  });

  it('at the start is waited out too', async () => {
    const database = await hotDatabase();
    const proxy = await faultProxy(database.address);
    await proxy.cut();
    const log = await testLog();
    await publish(log, events(0));
    const faulty = Promise.withResolvers<undefined>();
    const recording = record(log, watched(proxy.address, faulty.resolve));
    await faulty.promise;
    await proxy.restore();
    await recording.drain();
    await expectAllStoredOnce(database, recording, ROWS);
  });

  it('does not keep the recorder from stopping, even with its buffer full', async () => {
    const database = await hotDatabase();
    const proxy = await faultProxy(database.address);
    const log = await testLog();
    const faulty = Promise.withResolvers<undefined>();
    const recording = record(log, watched(proxy.address, faulty.resolve), { maxBufferedRecords: 1 });
    await recording.pipeline.ready(AbortSignal.timeout(10_000));
    await proxy.cut();
    await publish(log, events(0));
    await publish(log, events(ROWS));
    await faulty.promise;
    await recording.stop();
    await expect(recording.running).resolves.toBeUndefined();
  });

  it('is noticed when the database only stops answering', async () => {
    const database = await hotDatabase();
    const log = await testLog();
    const recording = record(log, hotStore(database.address, 300));
    await recording.pipeline.ready(AbortSignal.timeout(10_000));
    await database.sql('BEGIN');
    await database.sql('LOCK TABLE orderbook IN ACCESS EXCLUSIVE MODE');
    const faulty = Promise.withResolvers<undefined>();
    recording.faults.push = (...faults) => {
      faulty.resolve(undefined);
      return Array.prototype.push.apply(recording.faults, faults);
    };
    await publish(log, events(0));
    const drained = recording.drain();
    await faulty.promise;
    await database.sql('ROLLBACK');
    await drained;
    await expectAllStoredOnce(database, recording, ROWS);
  });
});

describe('two recorders on one position', () => {
  it('never double a row: the one that comes late begins again at the stored position', async () => {
    const database = await hotDatabase();
    const log = await testLog();
    const held = { batchSize: 1_000_000, batchTimeoutMs: 3_600_000 };
    const zombie = record(log, hotStore(database.address), { ...held, group: 'zombie' });
    const owner = record(log, hotStore(database.address), { ...held, group: 'owner' });
    const soon = AbortSignal.timeout(10_000);
    await Promise.all([zombie.pipeline.ready(soon), owner.pipeline.ready(soon)]);
    await publish(log, events(0));
    await log.append([{ ...entryOf(tick(0)), value: Buffer.from('no protobuf') }]);
    await Promise.all([zombie.drain(), owner.drain()]);
    await publish(log, events(ROWS));
    await Promise.all([zombie.drain(), owner.drain()]);

    const faults = [...zombie.faults, ...owner.faults].map(({ code }) => code);
    expect(faults).toContain('STORE_POSITION_MOVED');
    expect(new Set(faults)).toEqual(new Set(['STORE_POSITION_MOVED']));
    const stored = [zombie, owner].map(({ recorder: { counts } }) => counts.tick + counts.orderbook);
    expect(stored.reduce((sum, rows) => sum + rows)).toBe(2 * ROWS);
    await expectTablesHold(database, 2 * ROWS);
    expect([zombie, owner].map(({ recorder: { counts } }) => counts.duplicates + counts.conflicts)).toEqual([0, 0]);
    expect(await deadLettersOf(log)).toHaveLength(1);
  });

  it('notice each other without another record coming', async () => {
    const database = await hotDatabase();
    const log = await testLog(1);
    const moved = Promise.withResolvers<undefined>();
    const recording = record(log, hotStore(database.address), { batchTimeoutMs: 20 });
    recording.faults.push = () => (moved.resolve(undefined), 0);
    await recording.pipeline.ready(AbortSignal.timeout(10_000));
    // Somebody else stored the record, and only now does it come here.
    await database.sql(`UPDATE log_position SET next_offset = 1, last_hash = NULL WHERE topic = 'market.tick'`);
    await publish(log, [tick(0)]);
    await moved.promise;
    await publish(log, [tick(1)]);
    await recording.drain();
    expect(recording.recorder.counts).toMatchObject({ tick: 1, duplicates: 0 });
    expect(await database.sql('SELECT log_offset FROM tick_data')).toEqual([{ log_offset: '1' }]);
  });
});

describe('the log', () => {
  it('has a dead letter once, though the commit behind it was tried twice', async () => {
    const database = await hotDatabase();
    const proxy = await faultProxy(database.address);
    const log: EventLog = await testLog();
    const recording = record(log, hotStore(proxy.address));
    await recording.pipeline.ready(AbortSignal.timeout(10_000));
    proxy.cutAtCommit('lost before the server');
    await publish(log, [tick(0), tick(0, { side: 'SELL' }), tick(1, { tradeId: '\0' })]);
    await recording.drain();
    expect(recording.recorder.counts).toMatchObject({ tick: 1, conflicts: 1, dlq: 1 });
    expect(await deadLettersOf(log)).toHaveLength(2);
  });
});

/** A store that tells when a call of it has failed for the first time. */
function watched(address: TestDatabase['address'], onFault: (none: undefined) => void) {
  const store = hotStore(address);
  const watch = async <Result>(call: Promise<Result>): Promise<Result> => {
    try {
      return await call;
    } catch (error) {
      onFault(undefined);
      throw error;
    }
  };
  return {
    openPosition: (...args: Parameters<typeof store.openPosition>) => watch(store.openPosition(...args)),
    readPositions: (...args: Parameters<typeof store.readPositions>) => watch(store.readPositions(...args)),
    commit: (...args: Parameters<typeof store.commit>) => watch(store.commit(...args)),
  };
}

async function expectAllStoredOnce(database: TestDatabase, { recorder }: Recording, rows: number): Promise<void> {
  await expectTablesHold(database, rows);
  const { counts } = recorder;
  expect(counts.tick + counts.orderbook).toBe(rows);
  expect(counts).toMatchObject({ duplicates: 0, conflicts: 0, dlq: 0 });
}

async function expectTablesHold({ sql }: TestDatabase, rows: number): Promise<void> {
  const [found] = await sql(`SELECT count(*), count(DISTINCT place) AS places FROM (
    SELECT 't' || log_partition || '/' || log_offset AS place FROM tick_data
    UNION ALL SELECT 'b' || log_partition || '/' || log_offset FROM orderbook) AS stored`);
  expect(found).toEqual({ count: String(rows), places: String(rows) });
}
