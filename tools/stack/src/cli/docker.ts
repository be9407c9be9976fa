import { execFile, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findProgram, run } from '../programs.js';
import { HOST } from '../ports.js';
import { createBucket, S3_REGION } from '../s3/start.js';
import { packageFolder } from '../workspace.js';
import { preferredPort, s3Environment } from './hold.js';
import { BUCKET, type Part } from './parts.js';
import { writeState, type PartState, type StackFolder } from './state.js';

export const COMPOSE_FILE = join(packageFolder, '..', '..', 'docker', 'compose.yaml');
const ENGINE_MS = 3_000;
const DATABASE = { user: 'aipx', name: 'aipx_timeseries' };
const ACCESS_KEY = 'aipx';

/** Whether a Docker engine with Compose answers here. */
export async function dockerAnswers(): Promise<boolean> {
  if (findProgram('docker') === undefined) return false;
  const ask = promisify(execFile);
  const options = { timeout: ENGINE_MS };
  try {
    await Promise.all([ask('docker', ['info'], options), ask('docker', ['compose', 'version'], options)]);
    return true;
  } catch {
    return false;
  }
}

/**
 * Starts parts as containers; resolves when their health checks pass. Their states are written before, so that `down`
 * takes away what an interrupted or failed start leaves.
 */
export async function startInDocker(folder: StackFolder, parts: readonly Part[], signal: AbortSignal): Promise<void> {
  const secret = await dockerSecret(folder);
  const states = await Promise.all(parts.map((part) => dockerState(part, secret)));
  const environment = Object.assign({ KAFKA_CLUSTER_ID: clusterIdOf(secret) }, ...states.map(composeEnvironment));
  const args = [...composeArguments(folder), 'up', '--detach', '--wait', ...parts];
  for (const state of states) await writeState(folder, { ...state, isStarting: true });
  await run('docker', args, { env: environment, signal });
  for (const state of states) {
    if (state.part === 's3') await makeBucket(state);
    await writeState(folder, state);
  }
}

/** The parts that run as containers of this stack. */
export async function runningInDocker(folder: StackFolder, signal: AbortSignal): Promise<ReadonlySet<string>> {
  const args = [...composeArguments(folder), 'ps', '--status', 'running', '--services'];
  const names = await run('docker', args, { signal }).catch(() => '');
  return new Set(names.split('\n'));
}

/** Takes the containers of parts away; their data stays in volumes unless `wipe` is set. */
export async function stopInDocker(
  folder: StackFolder,
  parts: readonly Part[],
  wipe: boolean,
  signal: AbortSignal,
): Promise<void> {
  const action = wipe ? ['down', '--volumes'] : ['rm', '--stop', '--force', ...parts];
  await run('docker', [...composeArguments(folder), ...action], { signal });
}

/** Prints the containers' logs. */
export async function dockerLogs(
  folder: StackFolder,
  parts: readonly Part[],
  follow: boolean,
  signal: AbortSignal,
): Promise<void> {
  const flags = ['logs', '--tail', '200', ...(follow ? ['--follow'] : [])];
  const child = spawn('docker', [...composeArguments(folder), ...flags, ...parts], { stdio: 'inherit', signal });
  await once(child, 'exit').catch(() => undefined);
}

/** Stacks in different folders are different projects. */
function composeArguments(folder: StackFolder): readonly string[] {
  const id = createHash('sha256').update(folder.path).digest('hex').slice(0, 8);
  return ['compose', '--file', COMPOSE_FILE, '--project-name', `aipx-${id}`];
}

async function dockerState(part: Part, secret: string): Promise<PartState> {
  const port = await preferredPort(part);
  const address = `${HOST}:${port}`;
  return { part, mode: 'docker', env: addressLines(part, port, secret), servers: [{ name: part, address }] };
}

function addressLines(part: Part, port: number, secret: string): Readonly<Record<string, string>> {
  const own: Readonly<Record<Part, () => Readonly<Record<string, string>>>> = {
    kafka: () => ({ KAFKA_BROKERS: `${HOST}:${port}` }),
    postgres: () => ({
      TIMESCALEDB_HOST: HOST,
      TIMESCALEDB_PORT: String(port),
      TIMESCALEDB_USER: DATABASE.user,
      TIMESCALEDB_PASSWORD: secret,
      TIMESCALEDB_DB: DATABASE.name,
    }),
    redis: () => ({ REDIS_HOST: HOST, REDIS_PORT: String(port) }),
    s3: () =>
      s3Environment({
        endpoint: `http://${HOST}:${port}`,
        region: S3_REGION,
        accessKeyId: ACCESS_KEY,
        secretAccessKey: secret,
        conditionalWrites: true,
      }),
  };
  return own[part]();
}

/** What `docker/compose.yaml` takes from the environment: the address lines, and the port of each part. */
function composeEnvironment({ part, env, servers }: PartState): Readonly<Record<string, string>> {
  const port = servers[0]?.address.split(':')[1] ?? '';
  const name = { kafka: 'KAFKA_PORT', postgres: 'TIMESCALEDB_PORT', redis: 'REDIS_PORT', s3: 'S3_PORT' }[part];
  return { ...env, [name]: port };
}

async function makeBucket({ env }: PartState): Promise<void> {
  const address = {
    endpoint: env['S3_ENDPOINT'] ?? '',
    region: S3_REGION,
    accessKeyId: ACCESS_KEY,
    secretAccessKey: env['AWS_SECRET_ACCESS_KEY'] ?? '',
  };
  await createBucket(address, BUCKET);
}

/** Kept as long as the volumes are, and new with them: a recorder knows the log by it. */
function clusterIdOf(secret: string): string {
  const bytes = createHash('sha256').update(secret).digest().subarray(0, 16);
  // Kafka's tools would take a dash in front for a flag.
  return bytes.toString('base64url').replace(/^-/, '_');
}

/** One for all containers of the stack, made once: the volumes remember it. */
async function dockerSecret(folder: StackFolder): Promise<string> {
  const path = join(folder.path, 'docker-secret');
  await mkdir(folder.path, { recursive: true });
  const secret = randomBytes(24).toString('base64url');
  await writeFile(path, secret, { mode: 0o600, flag: 'wx' }).catch(() => undefined);
  return await readFile(path, 'utf8');
}
