import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEAD_LETTER_TOPIC, EmbeddedEventLog, type EventLog, type LogEntry } from '@aipx/event-log';
import { FolderObjectStore, LakeStore, ParquetWorker, type ObjectStore } from '@aipx/lake';
import { EVENT_TOPICS } from '@aipx/market-proto';
import { ColdRecorder, HotRecorder, RecordingPipeline } from '@aipx/recording';
import { HotReader, migrate, TimescaleStore, type DatabaseAddress } from '@aipx/timescale';
import { Client } from 'pg';
import { inject, onTestFinished } from 'vitest';
import type { LakeSource } from '../../src/lake-files.js';
import type { Finding } from '../../src/verify/findings.js';
import { verify, type VerifyOptions, type VerifyResult } from '../../src/verify/verify.js';

export const TOPICS = Object.values(EVENT_TOPICS);
const PREFIX = 'market-data';
const PARTITIONS = 3;
const TIME_LIMIT_MS = 60_000;

/** A log and what both recorders stored of it, as they do in production. */
export interface Recorded {
  readonly log: EventLog;
  readonly address: DatabaseAddress;
  /** The lake's folder, where it has one. */
  readonly root: string;
  sql(text: string, values?: unknown[]): Promise<readonly Record<string, unknown>[]>;
  check(options?: Partial<VerifyOptions>): Promise<Checked>;
}

export interface Checked extends VerifyResult {
  readonly found: readonly Finding[];
}

export interface RecordOptions {
  /** @default an embedded log of this test */
  readonly log?: EventLog;
  /** @default a folder of this test */
  readonly objects?: ObjectStore;
  /** Rows of a lake batch. @default 50 */
  readonly batchRows?: number;
}

/** Appends the entries and records them. All of it goes when the test is over. */
export async function recorded(entries: readonly LogEntry[], options: RecordOptions = {}): Promise<Recorded> {
  const root = await tempFolder();
  const log = options.log ?? (await embeddedLog());
  const { address, sql } = await database();
  const objects = options.objects ?? (await FolderObjectStore.open(root));
  await log.append(entries);
  await record(log, address, objects, options.batchRows ?? 50);
  const lake: LakeSource = { objects, prefix: PREFIX, ...(options.objects === undefined && { root }) };
  return { log, address, root, sql, check: (changes) => check(log, address, lake, changes) };
}

async function check(
  log: EventLog,
  address: DatabaseAddress,
  lake: LakeSource,
  changes: Partial<VerifyOptions> = {},
): Promise<Checked> {
  const found: Finding[] = [];
  const result = await verify({
    log,
    openDatabase: () => HotReader.open(address, new AbortController().signal),
    lake,
    range: {},
    waitMs: 0,
    onFinding: (finding) => void found.push(finding),
    onProgress: () => undefined,
    signal: AbortSignal.timeout(TIME_LIMIT_MS),
    ...changes,
  });
  return { ...result, found };
}

/** Runs both recorders until everything in the log is stored. */
export async function record(
  log: EventLog,
  address: DatabaseAddress,
  objects: ObjectStore,
  batchRows: number,
): Promise<void> {
  const stop = new AbortController();
  const { signal } = stop;
  const encoder = await ParquetWorker.start();
  const hotStore = new TimescaleStore(address);
  const recorders = [
    new HotRecorder({ log, store: hotStore, signal }),
    new ColdRecorder({ log, store: new LakeStore({ objects, log, encoder }), signal, batchRows }),
  ];
  const group = randomBytes(4).toString('hex');
  const pipelines = recorders.map(
    (recorder) => new RecordingPipeline({ log, recorder, group: `${group}-${recorder.name}`, topics: TOPICS }),
  );
  const running = pipelines.map((pipeline) => pipeline.run(signal));
  const limit = AbortSignal.timeout(TIME_LIMIT_MS);
  await Promise.all(pipelines.map((pipeline) => pipeline.ready(limit)));
  await Promise.all(pipelines.map((pipeline) => pipeline.drain(limit)));
  stop.abort();
  await Promise.all(running);
  await hotStore.close();
  await encoder.close();
}

async function embeddedLog(): Promise<EventLog> {
  const topics = Object.fromEntries([...TOPICS, DEAD_LETTER_TOPIC].map((topic) => [topic, PARTITIONS]));
  const log = await EmbeddedEventLog.open({ path: join(await tempFolder(), 'log.db'), topics });
  onTestFinished(() => log.close());
  return log;
}

async function database(): Promise<Pick<Recorded, 'address' | 'sql'>> {
  const server = inject('server');
  const address = { ...server, database: `test_${randomBytes(6).toString('hex')}` };
  const admin = await connected(server);
  await admin.query(`CREATE DATABASE ${address.database}`);
  await migrate(address, { signal: AbortSignal.timeout(TIME_LIMIT_MS) });
  const client = await connected(address);
  onTestFinished(async () => {
    await client.end();
    await admin.query(`DROP DATABASE ${address.database} WITH (FORCE)`);
    await admin.end();
  });
  return { address, sql: async (text, values) => (await client.query<Record<string, unknown>>(text, values)).rows };
}

async function connected(address: DatabaseAddress): Promise<Client> {
  const client = new Client({ ...address });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

export async function tempFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'aipx-inspection-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
