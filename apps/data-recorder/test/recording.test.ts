import { kafkaUnavailable } from '@aipx/stack';
import { describe, expect, inject, it } from 'vitest';
import { RunningApp } from './support/app.js';
import { migratedDatabase } from './support/database.js';
import { TestLog } from './support/log.js';
import { contentsOfDatabase, contentsOfLake, contentsOfLog, sizeOf, temporaryFolder } from './support/stored.js';

const missing = kafkaUnavailable();
const why = missing === undefined ? '' : ` (needs Kafka: ${missing})`;
/** Batches that fill only when somebody asks for them. */
const PATIENT = { BATCH_SIZE: '9000', BATCH_TIMEOUT_MS: '600000', S3_BATCH_TIMEOUT_SEC: '3600' };
const HASTY = { BATCH_TIMEOUT_MS: '50', S3_BATCH_TIMEOUT_SEC: '1' };
let group = 0;

/** A database, a lake and a consumer group of one test. */
async function stores() {
  const database = await migratedDatabase();
  const lake = await temporaryFolder();
  const settings = {
    ...database.settings,
    LAKE_DIR: lake,
    KAFKA_BROKERS: inject('broker') ?? '',
    KAFKA_GROUP_ID: `recording-${(group += 1)}`,
    KAFKA_SESSION_TIMEOUT: '6s',
  };
  const contents = async () => ({
    database: await contentsOfDatabase(database),
    lake: await contentsOfLake(`${lake}/market-data`),
  });
  return { database, settings, contents };
}

describe.skipIf(missing !== undefined)(`the recorder on a real broker${why}`, () => {
  it('stores every record of the log once in both stores, keeps the bad ones, and tells how it is', async () => {
    const log = await TestLog.open();
    await log.append(1_500);
    await log.appendUndecodable();
    const { settings, contents } = await stores();
    const app = new RunningApp({ ...settings, ...HASTY });
    const size = await log.size();
    await Promise.all([app.stored('timescaledb', size), app.stored('s3', size)]);

    const expected = await contentsOfLog(log);
    expect(sizeOf(expected)).toBe(size - 1);
    expect(await contents()).toEqual({ database: expected, lake: expected });
    expect(await log.deadLetters()).toEqual([expect.stringMatching(/^market\.tick\/\d\/\d+$/)]);

    expect(await app.get('/live')).toMatchObject({ status: 200 });
    expect(await app.get('/ready')).toMatchObject({ status: 200 });
    expect(await app.get('/health')).toMatchObject({
      status: 200,
      body: expect.stringMatching(
        /^HEALTHY\nconsumer: partitions: 9 for timescaledb, 9 for s3\ntimescaledb: .+\ns3: .+\n$/,
      ) as string,
    });
    const { body } = await app.get('/metrics');
    for (const line of [
      `messages_total{sink="timescaledb"} ${size}`,
      `messages_total{sink="s3"} ${size}`,
      `rows_total{sink="timescaledb",kind="tick"} ${expected.tick.length}`,
      `rows_total{sink="s3",kind="orderbook"} ${expected.orderbook.length}`,
      `rows_total{sink="s3",kind="gap"} ${expected.gap.length}`,
      'dead_letters_total{sink="timescaledb"} 1',
      'buffer_records{sink="timescaledb"} 0',
      'buffer_bytes{sink="s3"} 0',
      'partitions{sink="s3"} 9',
      'insert_errors_total 0',
      'upload_errors_total 0',
      'pauses_total{sink="s3"} 0',
      'newest_stored_age_seconds{sink="timescaledb"} ',
      'flush_seconds_bucket{sink="s3",le="+Inf"} ',
      'event_loop_delay_seconds{quantile="0.99"} ',
      'service_info{service="data-recorder"',
    ]) {
      expect(body).toContain(`\nrecorder_${line}`);
    }
    expect(body).toMatch(/\nrecorder_inserts_total [1-9]/);
    expect(body).toMatch(/\nrecorder_uploads_total [1-9]/);
    expect(body).not.toContain('KRW-');
    expect((await app.stop()).code).toBe(0);
  });

  it('stores what waits for its batch when it is told to stop', async () => {
    const log = await TestLog.open();
    const { settings, contents } = await stores();
    const app = new RunningApp({ ...settings, ...PATIENT });
    await log.append(600);
    const size = await log.size();
    await app.reads('timescaledb', size);
    await app.reads('s3', size);
    const { code, tookMs } = await app.stop();
    expect(code).toBe(0);
    expect(tookMs).toBeLessThan(30_000);
    const expected = await contentsOfLog(log);
    expect(await contents()).toEqual({ database: expected, lake: expected });
  });

  it('loses and doubles nothing when it is killed again and again', async () => {
    const log = await TestLog.open();
    const { settings, contents } = await stores();
    for (let kills = 0; kills < 3; kills += 1) {
      await log.append(500);
      const app = new RunningApp({ ...settings, ...HASTY });
      // Somewhere between the first rows and the last file.
      await app.stored('timescaledb', 1);
      await app.stop('SIGKILL');
    }
    const app = new RunningApp({ ...settings, ...HASTY });
    const expected = await contentsOfLog(log);
    const rows = sizeOf(expected);
    await app.storesUntil(async () => {
      const { database, lake } = await contents();
      return sizeOf(database) >= rows && sizeOf(lake) >= rows;
    });
    expect((await app.stop()).code).toBe(0);
    expect(await contents()).toEqual({ database: expected, lake: expected });
  });
});
