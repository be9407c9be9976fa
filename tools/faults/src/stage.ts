import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { KafkaEventLog } from '@aipx/event-log/kafka';
import { startKafka, startS3, type KafkaCluster, type S3Server } from '@aipx/stack';
import { Chance } from './chance.ts';
import { ColdLake } from './check/cold-listing.ts';
import { Cuts } from './cuts.ts';
import { FaultyDatabase } from './database.ts';
import { EventSource } from './events.ts';
import type { Findings } from './findings.ts';
import { BEGINNINGS_KEPT_EVERY_MS, KafkaAdmin } from './kafka-admin.ts';
import { Load } from './load.ts';
import { RecorderSlot } from './recorder-slot.ts';
import { ALL_TOPICS } from './topics.ts';
import type { WireFaults } from './wire-faults.ts';

export interface StageOptions {
  readonly folder: string;
  readonly seed: number;
  /** Records a second. */
  readonly rate: number;
  readonly recorderCommand: readonly string[];
  readonly findings: Findings;
  readonly wireFaults: WireFaults;
  readonly signal: AbortSignal;
}

const MOST_RECORDERS = 4;
export const SESSION_TIMEOUT_MS = 6_000;
const GROUP = 'fault-run';
const BUCKET = 'fault-run';
const PREFIX = 'market-data';

/** Real servers, a load, and recorders between them. */
export class Stage {
  readonly cluster: KafkaCluster;
  readonly admin: KafkaAdmin;
  readonly database: FaultyDatabase;
  readonly s3: S3Server;
  /** As the S3 server keeps it on its disk. */
  readonly lake: ColdLake;
  readonly lakeFolder: string;
  readonly load: Load;
  readonly slots: readonly RecorderSlot[];
  readonly cuts = new Cuts();
  readonly groups = [`${GROUP}-hot`, `${GROUP}-cold`] as const;
  readonly signal: AbortSignal;
  readonly #opened: readonly Close[];

  private constructor(parts: Parts, options: StageOptions) {
    this.cluster = parts.cluster;
    this.admin = new KafkaAdmin(parts.cluster.brokers);
    this.database = parts.database;
    this.s3 = parts.s3;
    this.lakeFolder = join(options.folder, 's3', 'versitygw', BUCKET, PREFIX);
    this.lake = new ColdLake(this.lakeFolder);
    this.slots = parts.slots;
    this.signal = options.signal;
    this.#opened = parts.opened;
    const chance = new Chance(options.seed, 'events');
    const source = new EventSource(() => chance.between(0, 1));
    this.load = new Load({ log: parts.log, source, rate: options.rate, signal: options.signal });
  }

  /** Starts everything but load and recorders. */
  static async open(options: StageOptions): Promise<Stage> {
    const { folder, signal } = options;
    await mkdir(folder, { recursive: true });
    const servers = createWriteStream(join(folder, 'servers.log'));
    const onLog = (line: string) => void servers.write(`${line}\n`);
    const opened: Close[] = [() => new Promise((ended) => servers.end(ended))];
    const keep = <T>(part: T, close: Close): T => {
      opened.push(close);
      return part;
    };
    try {
      const s3 = await startS3({ folder: join(folder, 's3'), conditionalWrites: true, signal, onLog });
      keep(s3, () => s3.stop());
      await s3.createBucket(BUCKET);
      const database = await FaultyDatabase.open({ folder, signal, onLog });
      keep(database, () => database.close());
      const properties = { 'log.flush.start.offset.checkpoint.interval.ms': String(BEGINNINGS_KEPT_EVERY_MS) };
      const cluster = await startKafka({ folder: join(folder, 'kafka'), properties, signal, onLog });
      keep(cluster, () => cluster.stop());
      const log = await openLog(cluster, signal);
      keep(log, () => log.close());
      const slots: RecorderSlot[] = [];
      for (let number = 1; number <= MOST_RECORDERS; number += 1) {
        const slot = await RecorderSlot.open(slotOptions(`recorder-${number}`, { cluster, database, s3 }, options));
        slots.push(keep(slot, () => slot.close()));
      }
      return new Stage({ cluster, database, s3, log, slots, opened }, options);
    } catch (error) {
      await closeAll(opened);
      throw error;
    }
  }

  get running(): readonly RecorderSlot[] {
    return this.slots.filter(({ isRunning }) => isRunning);
  }

  get idle(): readonly RecorderSlot[] {
    return this.slots.filter(({ isRunning }) => !isRunning);
  }

  /** For a program that looks at what is stored, past all wires. */
  get settings(): Readonly<Record<string, string>> {
    return settingsOf(this, this.database.port, this.s3.port);
  }

  async killBroker(): Promise<void> {
    for (const node of this.cluster.nodes) await node.kill();
  }

  async startBroker(): Promise<void> {
    for (const node of this.cluster.nodes) await node.start();
  }

  /** Leaves nothing behind that runs. */
  async close(): Promise<void> {
    await closeAll(this.#opened);
  }
}

type Close = () => Promise<unknown>;

interface Servers {
  readonly cluster: KafkaCluster;
  readonly database: FaultyDatabase;
  readonly s3: S3Server;
}

interface Parts extends Servers {
  readonly log: KafkaEventLog;
  readonly slots: readonly RecorderSlot[];
  readonly opened: readonly Close[];
}

/** What was opened last is closed first. */
async function closeAll(opened: readonly Close[]): Promise<void> {
  for (const close of [...opened].reverse()) await close();
}

function openLog({ brokers }: KafkaCluster, signal: AbortSignal): Promise<KafkaEventLog> {
  return KafkaEventLog.open({
    brokers,
    clientId: 'fault-run-load',
    topics: ALL_TOPICS,
    replication: 1,
    compression: 'zstd',
    acks: 'all',
    requestTimeoutMs: 10_000,
    signal,
  });
}

function slotOptions(name: string, { cluster, database, s3 }: Servers, options: StageOptions) {
  const { recorderCommand, folder, findings, wireFaults } = options;
  return {
    name,
    folder,
    command: recorderCommand,
    databasePort: database.port,
    s3Port: s3.port,
    settings: (databasePort: number, s3Port: number) => settingsOf({ cluster, database, s3 }, databasePort, s3Port),
    otherwise: wireFaults.judge.bind(wireFaults),
    onEnd: (how: string) => findings.add(how),
  };
}

/** Of a program that reaches the servers at these ports: of the recorder, and of whoever looks at what it has stored. */
function settingsOf({ cluster, database, s3 }: Servers, databasePort: number, s3Port: number) {
  return {
    ...database.settings,
    ...RECORDER_SETTINGS,
    KAFKA_BROKERS: cluster.brokers.join(','),
    TIMESCALEDB_PORT: String(databasePort),
    S3_ENDPOINT: `http://127.0.0.1:${s3Port}`,
    S3_REGION: s3.region,
    AWS_ACCESS_KEY_ID: s3.accessKeyId,
    AWS_SECRET_ACCESS_KEY: s3.secretAccessKey,
  };
}

/** Small batches, so that every phase comes often; large ones only where a file must be sent in parts. */
const RECORDER_SETTINGS = {
  LOG_FORMAT: 'json',
  HTTP_PORT: '0',
  KAFKA_GROUP_ID: GROUP,
  KAFKA_SESSION_TIMEOUT: `${SESSION_TIMEOUT_MS / 1_000}s`,
  BATCH_SIZE: '1000',
  BATCH_TIMEOUT_MS: '500',
  DB_WRITE_WORKERS: '2',
  TIMESCALEDB_POOL_SIZE: '3',
  S3_BUCKET: BUCKET,
  S3_PREFIX: PREFIX,
  S3_BATCH_TIMEOUT_SEC: '5',
  S3_BATCH_BYTES: '96MiB',
};
