import { startEmbeddedPostgres } from '@aipx/embedded-postgres';
import { launchKafka } from '../kafka/start.js';
import { freePorts, isFree } from '../ports.js';
import { identify } from '../process-id.js';
import { startRedis } from '../redis/start.js';
import type { S3Address } from '../s3/sign.js';
import { startS3, type S3Server } from '../s3/start.js';
import { BUCKET, WELL_KNOWN_PORTS, type Part } from './parts.js';
import type { PartState, ServerState, StackFolder } from './state.js';

export interface HoldOptions {
  readonly folder: StackFolder;
  /** Of Kafka. */
  readonly nodes: 1 | 3;
  readonly signal: AbortSignal;
  readonly onLog: (line: string) => void;
}

/** A part that runs in this process' care. */
export interface HeldPart extends Pick<PartState, 'env' | 'servers'> {
  /** Resolves when the last of its servers is gone. Never rejects. */
  readonly ended: Promise<unknown>;
  stop(): Promise<void>;
}

/** Starts a part natively, at its well-known port if that is free. */
export async function holdPart(part: Part, options: HoldOptions): Promise<HeldPart> {
  const hold = { kafka: holdKafka, postgres: holdPostgres, redis: holdRedis, s3: holdS3 }[part];
  return await hold({ ...options, data: options.folder.data(part) });
}

type Hold = HoldOptions & { readonly data: string };

async function holdKafka({ data, nodes, signal, onLog }: Hold): Promise<HeldPart> {
  const wellKnown = Array.from({ length: nodes }, (_, index) => WELL_KNOWN_PORTS.kafka + index);
  const free = await Promise.all(wellKnown.map(isFree));
  const ports = free.every(Boolean) ? { ports: wellKnown } : {};
  const cluster = await launchKafka({ folder: data, nodes, signal, onLog, ...ports });
  return {
    env: { KAFKA_BROKERS: cluster.brokers.join(',') },
    servers: await Promise.all(cluster.nodes.map(({ name, address, pid }) => serverState(name, address, pid))),
    ended: Promise.all(cluster.nodes.map((node) => node.ended)),
    stop: () => cluster.stop(),
  };
}

async function holdPostgres({ data, signal, onLog }: Hold): Promise<HeldPart> {
  const port = await preferredPort('postgres');
  const postgres = await startEmbeddedPostgres({ dataDir: data, port, signal, onLog });
  return {
    env: {
      TIMESCALEDB_HOST: postgres.host,
      TIMESCALEDB_PORT: String(postgres.port),
      TIMESCALEDB_USER: postgres.user,
      TIMESCALEDB_PASSWORD: postgres.password,
      TIMESCALEDB_DB: postgres.database,
    },
    servers: [await serverState('postgres', `${postgres.host}:${postgres.port}`, postgres.pid)],
    ended: postgres.ended,
    stop: () => postgres.stop(),
  };
}

async function holdRedis({ data, signal, onLog }: Hold): Promise<HeldPart> {
  const redis = await startRedis({ folder: data, port: await preferredPort('redis'), signal, onLog });
  return {
    env: { REDIS_HOST: redis.host, REDIS_PORT: String(redis.port) },
    servers: [await serverState('redis', `${redis.host}:${redis.port}`, redis.pid)],
    ended: redis.ended,
    stop: () => redis.stop(),
  };
}

async function holdS3({ data, signal, onLog }: Hold): Promise<HeldPart> {
  const s3 = await startS3({ folder: data, port: await preferredPort('s3'), signal, onLog });
  await s3.createBucket(BUCKET).catch(async (error: unknown) => {
    await s3.stop();
    throw error;
  });
  return {
    env: s3Environment(s3),
    servers: [await serverState('s3', s3.endpoint, s3.pid)],
    ended: s3.ended,
    stop: () => s3.stop(),
  };
}

/** How clients find the lake's bucket, and that they must be alone where the server does not hold two apart. */
export function s3Environment(s3: S3Address & Pick<S3Server, 'conditionalWrites'>): Readonly<Record<string, string>> {
  return {
    S3_ENDPOINT: s3.endpoint,
    S3_REGION: s3.region,
    S3_BUCKET: BUCKET,
    AWS_ACCESS_KEY_ID: s3.accessKeyId,
    AWS_SECRET_ACCESS_KEY: s3.secretAccessKey,
    ...(s3.conditionalWrites ? {} : { S3_SINGLE_WRITER: 'true' }),
  };
}

/** The well-known port of a part, or any other that is free. */
export async function preferredPort(part: Part): Promise<number> {
  const wellKnown = WELL_KNOWN_PORTS[part];
  if (await isFree(wellKnown)) return wellKnown;
  const [port = 0] = await freePorts(1);
  return port;
}

async function serverState(name: string, address: string, pid: number | undefined): Promise<ServerState> {
  const process = pid === undefined ? undefined : await identify(pid);
  return process === undefined ? { name, address } : { name, address, process };
}
