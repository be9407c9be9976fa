import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { startEmbeddedPostgres } from '@aipx/embedded-postgres';
import { startKafka, startS3, versitygwUnavailable } from '@aipx/stack';
import { migrate, type DatabaseAddress } from '@aipx/timescale';
import { Client } from 'pg';
import { Service } from '../ingestion/service.ts';
import { startProducer, type ProducerResult } from './producer.ts';
import { watchWhile, type Watched } from './watch.ts';

export interface Counts {
  readonly tick: number;
  readonly orderbook: number;
}

export interface FlatMeasurement extends Watched {
  readonly rate: number;
  readonly minutes: number;
  /** Records a second that the producer could send. */
  readonly heldRate: number;
  /** Where the Parquet files went. */
  readonly lake: 'S3 (versitygw)' | 'a folder';
  readonly sent: Counts;
  readonly inDatabase: Counts;
  readonly inParquet: Counts;
}

const BUCKET = 'aipx-bench';
const PREFIX = 'market-data';
const PARTITIONS = 6;
const SINKS = 2;
/** Trades, books and gaps. */
const TOPICS = 3;
const LONGEST_STOP = '5m';
const CATCH_UP_MS = 600_000;

/** The service as its users run it, under the recorded mix at a fixed rate; then what lies in both stores is counted. */
export async function measureFlat(
  { rate, minutes }: { readonly rate: number; readonly minutes: number },
  folder: string,
  signal: AbortSignal,
): Promise<FlatMeasurement> {
  await using opened = new AsyncDisposableStack();
  const postgres = await startEmbeddedPostgres({ dataDir: join(folder, 'postgres'), signal });
  opened.defer(() => postgres.stop());
  await migrate(postgres, { signal });
  const kafka = await startKafka({ folder: join(folder, 'kafka'), signal });
  opened.defer(() => kafka.stop());
  const lake = await openLake(folder, signal);
  opened.defer(lake.stop);
  const records = Math.round(rate * minutes * 60);
  const producer = opened.use(
    await startProducer({ brokers: kafka.brokers, partitions: PARTITIONS, rate, records }, signal),
  );
  const home = join(folder, 'service');
  await mkdir(home);
  const settings = { ...lake.settings, ...databaseSettings(postgres), KAFKA_BROKERS: kafka.brokers.join(',') };
  const service = opened.use(
    await Service.start({
      app: 'data-recorder',
      folder: home,
      nodeFlags: [],
      settings: { ...settings, SHUTDOWN_GRACE: LONGEST_STOP },
      signal,
    }),
  );
  await service.until(
    'the service to have all partitions',
    (metrics) =>
      metrics.holds('recorder_partitions') && metrics.sum('recorder_partitions') === SINKS * TOPICS * PARTITIONS,
  );

  const sending = producer.ask<ProducerResult>('send', signal);
  const watched = await watchWhile(service, sending, signal);
  const { sent, heldRate } = await sending;
  await service.until(
    'everything that was sent to be read',
    (metrics) => ['timescaledb', 's3'].every((sink) => metrics.sum('recorder_read_total', { sink }) >= records),
    CATCH_UP_MS,
  );
  await service.stop();
  return {
    rate,
    minutes,
    heldRate,
    lake: lake.kind,
    ...watched,
    sent,
    inDatabase: await countDatabase(postgres),
    inParquet: await countParquet(lake.files),
  };
}

/** What is missing, in words; empty when both stores hold exactly what was sent. */
export function lossesOf({ sent, inDatabase, inParquet }: FlatMeasurement): readonly string[] {
  const stores = { 'the database': inDatabase, 'the Parquet files': inParquet };
  return Object.entries(stores).flatMap(([store, held]) =>
    (['tick', 'orderbook'] as const)
      .filter((kind) => held[kind] !== sent[kind])
      .map((kind) => `${store}: ${held[kind]} ${kind} rows, but ${sent[kind]} were sent`),
  );
}

interface Lake {
  readonly kind: FlatMeasurement['lake'];
  readonly settings: Readonly<Record<string, string>>;
  /** Folder below which its files lie. */
  readonly files: string;
  readonly stop: () => Promise<void>;
}

/** An S3 server where there is one for this machine, else a folder. */
async function openLake(folder: string, signal: AbortSignal): Promise<Lake> {
  const home = join(folder, 'lake');
  await mkdir(home);
  if (versitygwUnavailable() !== undefined) {
    const settings = { LAKE_DIR: home, S3_PREFIX: PREFIX };
    return { kind: 'a folder', settings, files: join(home, PREFIX), stop: () => Promise.resolve() };
  }
  const s3 = await startS3({ folder: home, signal, conditionalWrites: true });
  await s3.createBucket(BUCKET);
  return {
    kind: 'S3 (versitygw)',
    settings: {
      S3_ENDPOINT: s3.endpoint,
      S3_BUCKET: BUCKET,
      S3_REGION: s3.region,
      S3_PREFIX: PREFIX,
      AWS_ACCESS_KEY_ID: s3.accessKeyId,
      AWS_SECRET_ACCESS_KEY: s3.secretAccessKey,
    },
    files: join(home, 'versitygw', BUCKET, PREFIX), // its objects are plain files
    stop: () => s3.stop(),
  };
}

function databaseSettings({ host, port, user, password, database }: DatabaseAddress): Readonly<Record<string, string>> {
  return {
    TIMESCALEDB_HOST: host,
    TIMESCALEDB_PORT: String(port),
    TIMESCALEDB_USER: user,
    TIMESCALEDB_PASSWORD: password,
    TIMESCALEDB_DB: database,
  };
}

async function countDatabase(address: DatabaseAddress): Promise<Counts> {
  const client = new Client({ ...address });
  await client.connect();
  try {
    const { rows } = await client.query<{ tick: string; orderbook: string }>(
      'SELECT (SELECT count(*) FROM tick_data) AS tick, (SELECT count(*) FROM orderbook) AS orderbook',
    );
    return { tick: Number(rows[0]?.tick), orderbook: Number(rows[0]?.orderbook) };
  } finally {
    await client.end();
  }
}

async function countParquet(files: string): Promise<Counts> {
  const connection = await (await DuckDBInstance.create(':memory:')).connect();
  const countOf = async (kind: string): Promise<number> => {
    const reader = await connection.runAndReadAll(`SELECT count(*) FROM read_parquet('${files}/${kind}/**/*.parquet')`);
    return Number(reader.getRows()[0]?.[0]);
  };
  try {
    return { tick: await countOf('tick'), orderbook: await countOf('orderbook') };
  } finally {
    connection.closeSync();
  }
}
