import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '@aipx/embedded-postgres';
import type { MarketEvent } from '@aipx/market-model';
import { book, entryOf, tick } from '@aipx/market-proto/testing';
import { Client } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { describe, expect, it, onTestFinished } from 'vitest';
import { databaseOn, hotDatabase, type TestDatabase, testLog } from '../src/testing/index.js';
import { faultProxy } from './support/fault-proxy.js';
import { hotStore, record } from './support/recording.js';
import { deadLettersOf, publish } from './support/test-log.js';

const ROWS = 500;
const events = (first: number, count = ROWS): MarketEvent[] =>
  Array.from({ length: count }, (_, n) => (n % 5 === 0 ? book(first + n) : tick(first + n)));

describe('the hot sink loses and doubles nothing', () => {
  it('when the server is restarted without a word', async () => {
    const server = await ownServer();
    const database = await databaseOn(server.address);
    const log = await testLog();
    const storing = Promise.withResolvers<unknown>();
    const recording = record(log, hotStore(database.address), { batchSize: 50, onCommit: storing.resolve });
    await publish(log, events(0, 4 * ROWS));
    await storing.promise;
    await server.kill();
    await publish(log, events(4 * ROWS));
    const drained = recording.drain();
    await server.start();
    await drained;
    expect(recording.faults.length).toBeGreaterThan(0);
    await expectStoredOnce(await databaseOn(server.address), 5 * ROWS);
    expect(await deadLettersOf(log)).toEqual([]);
  });

  it('when a failover leaves it on a server that only reads', async () => {
    const database = await hotDatabase();
    const log = await testLog();
    const { recording, failedTimes } = watchedRecording(log, database);
    await publish(log, events(0));
    await recording.drain();
    await database.sql(`ALTER DATABASE ${database.address.database} SET default_transaction_read_only = on`);
    await disconnect(database);
    await publish(log, events(ROWS));
    const drained = recording.drain();
    await failedTimes(4);
    expect(recording.recorder.status.fault?.error.context).toEqual({ sqlstate: '25006' });
    await database.sql('SET default_transaction_read_only = off');
    await database.sql(`ALTER DATABASE ${database.address.database} RESET default_transaction_read_only`);
    await drained;
    expect(recording.recorder.status.fault).toBeUndefined();
    await expectStoredOnce(database, 2 * ROWS);
    expect(await deadLettersOf(log)).toEqual([]);
  });

  it('when the server that takes over has not seen the last transactions', async () => {
    const database = await hotDatabase();
    const log = await testLog();
    const recording = record(log, hotStore(database.address));
    await publish(log, events(0));
    await recording.drain();
    await database.sql('CREATE TABLE replica AS TABLE log_position');
    await publish(log, events(ROWS));
    await recording.drain();
    await database.sql(`BEGIN; DELETE FROM tick_data t USING replica r
        WHERE r.topic = 'market.tick' AND r.partition = t.log_partition AND t.log_offset >= r.next_offset;
      DELETE FROM orderbook b USING replica r
        WHERE r.topic = 'market.orderbook' AND r.partition = b.log_partition AND b.log_offset >= r.next_offset;
      DELETE FROM log_position; INSERT INTO log_position TABLE replica; COMMIT`);
    await publish(log, events(2 * ROWS));
    await recording.drain();
    expect(recording.faults).toMatchObject([{ code: 'STORE_POSITION_MOVED' }]);
    await expectStoredOnce(database, 3 * ROWS);
  });

  it.each([
    ['57P01', 'a shutdown by its administrator', `pg_terminate_backend(pg_backend_pid())`],
    ['57014', 'a statement that takes too long', 'pg_sleep(60)'],
  ])('by %s, %s', async (sqlstate, _, act) => {
    const database = await hotDatabase();
    if (sqlstate === '57014') {
      await database.sql(`ALTER DATABASE ${database.address.database} SET statement_timeout = '300ms'`);
    }
    await onFirstRow(database, `PERFORM ${act}`);
    await expectRecordedWithFaults(database, [sqlstate]);
  });

  it('by a disk that is full, or whatever else is the server’s trouble and not a record’s', async () => {
    const codes = ['53100', '53200', '58030', '40001', '42501'];
    const database = await hotDatabase();
    const raise = codes.map((code, n) => `WHEN ${n + 1} THEN RAISE EXCEPTION USING ERRCODE = '${code}';`);
    await onEveryRow(database, `CASE nextval('rows_seen') ${raise.join(' ')} ELSE END CASE`);
    await expectRecordedWithFaults(database, codes);
  });

  it('when the server has no connection to spare', async () => {
    const database = await hotDatabase();
    const role = `${database.address.database}_writer`;
    await database.sql(`CREATE ROLE ${role} LOGIN PASSWORD 'secret' CONNECTION LIMIT 0`);
    await database.sql(`GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA public TO ${role}`);
    onTestFinished(async () => void (await database.sql(`DROP OWNED BY ${role}; DROP ROLE ${role}`)));
    const log = await testLog();
    const address = { ...database.address, user: role, password: 'secret' };
    const { recording, failedTimes } = watchedRecording(log, { ...database, address });
    await publish(log, events(0));
    await failedTimes(1);
    expect(recording.faults[0]?.context).toEqual({ sqlstate: '53300' });
    await database.sql(`ALTER ROLE ${role} CONNECTION LIMIT -1`);
    await recording.drain();
    await expectStoredOnce(database, ROWS);
    await recording.stop();
  });

  it('when all connections are ended while nothing is under way', async () => {
    const database = await hotDatabase();
    const log = await testLog();
    const recording = record(log, hotStore(database.address));
    for (const round of [0, 1, 2]) {
      await publish(log, events(round * ROWS));
      await recording.drain();
      await disconnect(database);
    }
    await expectStoredOnce(database, 3 * ROWS);
    expect(await deadLettersOf(log)).toEqual([]);
  });

  it('when another writer stands still in the midst of a COPY, its connection open', async () => {
    const database = await hotDatabase();
    const log = await testLog();
    const recording = record(log, hotStore(database.address, 300));
    await publish(log, events(0));
    await recording.drain();
    await standStill(database);
    await publish(log, events(ROWS));
    await recording.drain();
    expect(recording.faults.length).toBeGreaterThan(0);
    await expectStoredOnce(database, 2 * ROWS);
  });

  it('when the wire swallows everything, as behind a firewall that forgot the connection', async () => {
    const database = await hotDatabase();
    const proxy = await faultProxy(database.address);
    const log = await testLog();
    const { recording, failedTimes } = watchedRecording(log, { ...database, address: proxy.address }, 300);
    await recording.pipeline.ready(AbortSignal.timeout(10_000));
    proxy.swallow(true);
    await publish(log, events(0));
    const drained = recording.drain();
    await failedTimes(1);
    proxy.swallow(false);
    await drained;
    await expectStoredOnce(database, ROWS);
  });

  it('by two writers that wait for each other, because one trade stands in two partitions', async () => {
    const database = await hotDatabase();
    // Each row takes its time, so that both writers hold their first one when they come to the other's.
    await onEveryRow(database, 'PERFORM pg_sleep(0.4)');
    const log = await testLog(8);
    const keys = keysOfTwoPartitions(log);
    const [one, other] = [tick(0), tick(1)];
    const recording = record(log, hotStore(database.address), { batchSize: 2, writers: 2, batchTimeoutMs: 3_600_000 });
    await recording.pipeline.ready(AbortSignal.timeout(10_000));
    const [first, second] = keys.map((key) => (event: MarketEvent) => ({ ...entryOf(event), key }));
    if (first === undefined || second === undefined) throw new Error('no keys');
    await log.append([first(one), first(other), second(other), second(one)]);
    await recording.drain();
    expect(recording.faults).toMatchObject([{ code: 'STORE_UNAVAILABLE', context: { sqlstate: '40P01' } }]);
    expect(recording.recorder.counts).toMatchObject({ tick: 2, duplicates: 2, conflicts: 0, dlq: 0 });
  });

  it('when the database fails while a bad record is looked for: no good one is taken for it', async () => {
    const database = await hotDatabase();
    await onEveryRow(
      database,
      `CASE nextval('rows_seen') WHEN 700, 1500, 2200 THEN RAISE EXCEPTION USING ERRCODE = '53100'; ELSE END CASE`,
    );
    const log = await testLog(1);
    const recording = record(log, hotStore(database.address));
    await publish(
      log,
      Array.from({ length: ROWS }, (_, n) => tick(n, n === 321 ? { tradeId: 'nul \0 byte' } : {})),
    );
    await recording.drain();
    expect(recording.faults.map(({ context }) => context['sqlstate'])).toEqual(['53100', '53100', '53100']);
    expect((await deadLettersOf(log)).map(({ key }) => key)).toEqual(['market.tick/0/321']);
    await expectStoredOnce(database, ROWS - 1);
  });
});

async function expectRecordedWithFaults(database: TestDatabase, codes: readonly string[]): Promise<void> {
  const log = await testLog(1);
  const recording = record(log, hotStore(database.address));
  await publish(log, events(0));
  await recording.drain();
  expect(recording.faults.map(({ context }) => context['sqlstate'])).toEqual(codes);
  await expectStoredOnce(database, ROWS);
  expect(await deadLettersOf(log)).toEqual([]);
}

/** A recording, and when it has failed so many times. */
function watchedRecording(log: Awaited<ReturnType<typeof testLog>>, { address }: TestDatabase, timeoutMs?: number) {
  const recording = record(log, hotStore(address, timeoutMs));
  const watched: { readonly times: number; readonly seen: (none: undefined) => void }[] = [];
  recording.faults.push = (...faults) => {
    const length = Array.prototype.push.apply(recording.faults, faults);
    for (const { times, seen } of watched) if (length >= times) seen(undefined);
    return length;
  };
  const failedTimes = (times: number) => {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    if (recording.faults.length >= times) resolve(undefined);
    watched.push({ times, seen: resolve });
    return promise;
  };
  return { recording, failedTimes };
}

async function onFirstRow(database: TestDatabase, act: string): Promise<void> {
  await onEveryRow(database, `IF nextval('rows_seen') = 1 THEN ${act}; END IF`);
}

async function onEveryRow({ sql }: TestDatabase, act: string): Promise<void> {
  await sql('CREATE SEQUENCE rows_seen');
  await sql(`CREATE FUNCTION act() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ${act}; RETURN NEW; END $$`);
  await sql('CREATE TRIGGER act BEFORE INSERT ON tick_data FOR EACH ROW EXECUTE FUNCTION act()');
}

async function disconnect({ sql }: TestDatabase): Promise<void> {
  await sql(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'aipx-hot'`);
}

/** A writer that holds all positions and has sent the first bytes of a row, and no more. */
async function standStill({ address }: TestDatabase): Promise<void> {
  const client = new Client({ ...address, application_name: 'aipx-hot' }).on('error', () => undefined);
  await client.connect();
  onTestFinished(() => client.end());
  await client.query('BEGIN');
  await client.query('SELECT FROM log_position FOR UPDATE');
  const rows = client.query(copyFrom('COPY tick_data FROM STDIN')).on('error', () => undefined);
  await new Promise((written) => rows.write('half a row', written));
}

function keysOfTwoPartitions(log: Awaited<ReturnType<typeof testLog>>): readonly string[] {
  const keys = new Map<number, string>();
  for (let n = 0; keys.size < 2; n += 1) keys.set(log.partitionFor('market.tick', `KEY-${n}`).partition, `KEY-${n}`);
  return [...keys.values()];
}

async function expectStoredOnce({ sql }: TestDatabase, rows: number): Promise<void> {
  const [found] = await sql(`SELECT count(*), count(DISTINCT place) AS places FROM (
    SELECT 't' || log_partition || '/' || log_offset AS place FROM tick_data
    UNION ALL SELECT 'b' || log_partition || '/' || log_offset FROM orderbook) AS stored`);
  expect(found).toEqual({ count: String(rows), places: String(rows) });
}

/** A server that this test may kill. */
async function ownServer() {
  const dataDir = await mkdtemp(join(tmpdir(), 'aipx-outage-'));
  let server: EmbeddedPostgres | undefined;
  let port = 0;
  const start = async () => {
    server = await startEmbeddedPostgres({ dataDir, port, signal: AbortSignal.timeout(60_000) });
    port = server.port;
    const { host, user, password, database } = server;
    return { host, port, user, password, database };
  };
  onTestFinished(async () => {
    await server?.stop();
    await rm(dataDir, { recursive: true, force: true });
  });
  return {
    address: await start(),
    start,
    /** Ends it like `pg_ctl stop -m immediate`: every connection is cut, and the next start recovers. */
    kill: async () => {
      if (server === undefined) return;
      process.kill(server.pid, 'SIGQUIT');
      await server.ended;
      await server.stop();
    },
  };
}
