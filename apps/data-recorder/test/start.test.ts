import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { kafkaUnavailable, startS3, versitygwUnavailable } from '@aipx/stack';
import { migrate } from '@aipx/timescale';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { RunningApp } from './support/app.js';
import { databaseSettings, emptyDatabase, migratedDatabase } from './support/database.js';
import { TestLog } from './support/log.js';
import { contentsOfDatabase, contentsOfLake, contentsOfLog, sizeOf, temporaryFolder } from './support/stored.js';

const missing = kafkaUnavailable();
const why = missing === undefined ? '' : ` (needs Kafka: ${missing})`;
const withoutS3 = missing ?? versitygwUnavailable();
const KAFKA = { KAFKA_BROKERS: inject('broker') ?? '', KAFKA_SESSION_TIMEOUT: '6s' };
const HASTY = { BATCH_TIMEOUT_MS: '50', S3_BATCH_TIMEOUT_SEC: '1' };
/** Within so long a second signal counts as the first. */
const SAME_SIGNAL_MS = 1_100;
const BUCKET = 'lake-of-tests';

describe.skipIf(missing !== undefined)(`a database that is not ready${why}`, () => {
  it('is waited for with the command that migrates it, while Parquet goes on; then it is used without a restart', async () => {
    const log = await TestLog.open();
    await log.append(100);
    const database = await emptyDatabase();
    const lake = await temporaryFolder();
    const app = new RunningApp({
      ...KAFKA,
      ...HASTY,
      ...database.settings,
      KAFKA_GROUP_ID: 'not-migrated',
      LAKE_DIR: lake,
    });
    const { message } = await app.says(/^timescaledb: .*is not migrated/);
    expect(message).toContain('--migrate');
    const size = await log.size();
    await app.stored('s3', size);
    expect(await app.get('/health')).toMatchObject({
      status: 503,
      body: expect.stringMatching(
        /^DEGRADED\n[^]*timescaledb: waiting for \d+s: database .* is not migrated/,
      ) as string,
    });
    expect((await app.get('/ready')).status).toBe(200);
    await migrate(database.address, { signal: AbortSignal.timeout(30_000) });
    await app.stored('timescaledb', size);
    expect((await app.stop()).code).toBe(0);
    expect(await contentsOfDatabase(database)).toEqual(await contentsOfLog(log));
  });

  it('is migrated with --migrate', async () => {
    const log = await TestLog.open();
    await log.append(1);
    const database = await emptyDatabase();
    const settings = { ...KAFKA, ...HASTY, ...database.settings, S3_WRITE_ENABLED: 'false' };
    const app = new RunningApp({ ...settings, KAFKA_GROUP_ID: 'migrating' }, ['--migrate']);
    await app.stored('timescaledb', await log.size());
    expect((await app.get('/health')).body).not.toContain('s3');
    expect((await app.stop()).code).toBe(0);
  });

  it('or refuses the password is waited for too, which keeps no stop waiting; the password is in no line', async () => {
    const address = { ...inject('postgres'), password: 'wrong-password' };
    const settings = { ...KAFKA, ...databaseSettings(address), S3_WRITE_ENABLED: 'false' };
    const app = new RunningApp({ ...settings, KAFKA_GROUP_ID: 'wrong-password' });
    const { message } = await app.says(/^timescaledb: /);
    expect(message).toMatch(/password authentication failed/);
    expect(await app.get('/health')).toMatchObject({
      status: 503,
      body: expect.stringMatching(/^UNHEALTHY\n/) as string,
    });
    const { code, tookMs } = await app.stop();
    expect([code, tookMs < 15_000]).toEqual([0, true]);
    expect(JSON.stringify(app.lines)).not.toContain('wrong-password"');
  });

  it('or does not answer keeps nobody waiting who signals twice; what was read is read again', async () => {
    const log = await TestLog.open();
    await log.append(50);
    const database = await migratedDatabase();
    const settings = { ...KAFKA, ...HASTY, ...database.settings, S3_WRITE_ENABLED: 'false', KAFKA_GROUP_ID: 'twice' };
    await database.sql('BEGIN');
    await database.sql('LOCK TABLE tick_data');
    const app = new RunningApp(settings);
    await app.reads('timescaledb', await log.size());
    const stopped = app.stop();
    await app.says(/^stopping on a signal/);
    await sleep(SAME_SIGNAL_MS);
    const { code, tookMs } = await app.stop('SIGINT');
    expect([code, tookMs < 5_000]).toEqual([0, true]);
    await stopped;
    await database.sql('COMMIT');
    const next = new RunningApp(settings);
    await next.storesUntil(async () => sizeOf(await contentsOfDatabase(database)) === sizeOf(await contentsOfLog(log)));
    expect((await next.stop()).code).toBe(0);
    expect(await contentsOfDatabase(database)).toEqual(await contentsOfLog(log));
  });

  it('and was filled from another log ends the process with the way out, once the other store has what was read', async () => {
    const log = await TestLog.open();
    await log.append(50);
    const database = await migratedDatabase();
    const lake = await temporaryFolder();
    await database.sql('BEGIN');
    await database.sql('LOCK TABLE log_position');
    const app = new RunningApp({
      ...KAFKA,
      ...database.settings,
      KAFKA_GROUP_ID: 'another-log',
      LAKE_DIR: lake,
    });
    await app.reads('s3', await log.size());
    await database.sql(
      `INSERT INTO log_position (sink, topic, partition, log_id, next_offset) VALUES ('hot', 'market.tick', 0, 'another', 0)`,
    );
    await database.sql('COMMIT');
    expect(await app.exited).toBe(1);
    const fault = app.lines.find(({ code }) => code === 'STORE_LOG_MISMATCH');
    expect(fault?.message).toMatch(/another database and another S3_PREFIX/);
    expect(await contentsOfLake(`${lake}/market-data`)).toEqual(await contentsOfLog(log));
  });
});

describe.skipIf(withoutS3 !== undefined)(
  `an S3 that goes away${withoutS3 === undefined ? '' : ` (${withoutS3})`}`,
  () => {
    it('delays the database not at all, keeps no stop waiting, and gets the rest later; a bucket that is missing is waited for', async () => {
      const log = await TestLog.open();
      const folder = await temporaryFolder();
      const s3 = await startS3({ folder, conditionalWrites: true, signal: AbortSignal.timeout(60_000) });
      onTestFinished(() => s3.stop());
      const database = await migratedDatabase();
      const settings = {
        ...KAFKA,
        ...HASTY,
        ...database.settings,
        KAFKA_GROUP_ID: 's3-away',
        S3_ENDPOINT: s3.endpoint,
        S3_REGION: s3.region,
        S3_BUCKET: BUCKET,
        AWS_ACCESS_KEY_ID: s3.accessKeyId,
        AWS_SECRET_ACCESS_KEY: s3.secretAccessKey,
      };
      const app = new RunningApp(settings);
      expect((await app.says(/^s3: /)).message).toContain(BUCKET);
      await s3.createBucket(BUCKET);
      await log.append(100);
      const before = await log.size();
      await Promise.all([app.stored('timescaledb', before), app.stored('s3', before)]);

      await s3.kill();
      await log.append(300);
      const size = await log.size();
      await app.stored('timescaledb', size);
      await app.says(/^s3: .*(ECONNREFUSED|refused)/);
      expect(await app.get('/health')).toMatchObject({
        status: 503,
        body: expect.stringMatching(/^DEGRADED\n[^]*s3: waiting for \d+s: /) as string,
      });
      const { code, tookMs } = await app.stop();
      expect([code, tookMs < 20_000]).toEqual([0, true]);
      await app.says(/^s3: \d+ records are not stored and are read from Kafka again at the next start/);

      await s3.start();
      const next = new RunningApp(settings);
      await next.stored('s3', size - before);
      expect((await next.stop()).code).toBe(0);
      const expected = await contentsOfLog(log);
      expect(await contentsOfDatabase(database)).toEqual(expected);
      expect(await contentsOfLake(join(folder, 'versitygw', BUCKET, 'market-data'))).toEqual(expected);
    });
  },
);

describe('a broker that is not there', () => {
  it('is waited for with a clear sentence, and keeps no stop waiting', async () => {
    const port = await freePort();
    const settings = { KAFKA_BROKERS: `127.0.0.1:${port}`, TIMESCALEDB_WRITE_ENABLED: 'false' };
    const app = new RunningApp({ ...settings, LAKE_DIR: await temporaryFolder() });
    expect((await app.says(/^kafka: /)).message).toContain(`127.0.0.1:${port}`);
    expect((await app.get('/live')).status).toBe(200);
    expect((await app.get('/ready')).status).toBe(503);
    expect(await app.get('/health')).toMatchObject({
      status: 503,
      body: expect.stringContaining('consumer: waiting for Kafka: ') as string,
    });
    const { code, tookMs } = await app.stop();
    expect([code, tookMs < 10_000]).toEqual([0, true]);
  });
});

async function freePort(): Promise<number> {
  const server = createServer();
  const { promise, resolve } = Promise.withResolvers<number>();
  server.listen(0, '127.0.0.1', () => {
    const address = server.address();
    server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
  });
  return promise;
}
