import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { MarketDataError } from '@aipx/market-model';
import { LocalServer, type LocalServerOptions } from '../local-server.js';
import { HOST } from '../ports.js';
import type { ServerCommand } from '../server-process.js';
import { fetchVersitygw, s3rverScript, versitygwUnavailable } from './programs.js';
import { signedRequest, type S3Address } from './sign.js';

export interface S3Options extends LocalServerOptions {
  /**
   * `true`: a server that keeps to `If-None-Match` (versitygw), or none. `false`: one that ignores it (s3rver).
   *
   * @default the former where it can be had, else the latter
   */
  readonly conditionalWrites?: boolean;
}

export interface S3Server extends S3Address {
  readonly port: number;
  /** Whether it keeps to `If-None-Match`. */
  readonly conditionalWrites: boolean;
  /** `undefined` while it does not run. */
  readonly pid: number | undefined;
  /** Resolves when the process that runs now is gone. Never rejects. */
  readonly ended: Promise<void>;
  /**
   * Makes a bucket unless it is there.
   *
   * @throws {MarketDataError} `STORE_REFUSED` with the server's answer
   */
  createBucket(name: string): Promise<void>;
  /** Starts it again at the same port with the same objects; resolves when it answers. */
  start(): Promise<void>;
  /** SIGTERM; resolves when it is gone. */
  stop(): Promise<void>;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
}

interface S3Program {
  readonly conditionalWrites: boolean;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly commandAt: (port: number) => ServerCommand;
}

export const S3_REGION = 'ap-northeast-2';
const ENVIRONMENT = { LC_ALL: 'C', TZ: 'UTC', PATH: '/usr/bin:/bin' };
const REQUEST_MS = 10_000;

/**
 * Starts an S3 server of its own in a folder, on 127.0.0.1 only: versitygw, else s3rver. A server that a killed process
 * left in the folder is ended first; the objects of an earlier start are kept.
 *
 * @throws {MarketDataError} `CONFIG_DATA_DIR_IN_USE` while another process runs one there, `STORE_UNAVAILABLE` with what
 * is missing here or with what the server wrote
 */
export async function startS3(options: S3Options): Promise<S3Server> {
  const folder = resolve(options.folder);
  await mkdir(folder, { recursive: true });
  const program = await chooseProgram(folder, options);
  const addressAt = (port: number): S3Address => ({
    endpoint: `http://${HOST}:${port}`,
    region: S3_REGION,
    ...program.credentials,
  });
  const server = await LocalServer.launch({ ...options, folder }, async (port) => ({
    name: 's3',
    port,
    command: program.commandAt(port),
    answers: async (signal) => (await signedRequest(addressAt(port), 'GET', '/', signal)).status === 200,
  }));
  const address = addressAt(server.port);
  return {
    ...address,
    port: server.port,
    conditionalWrites: program.conditionalWrites,
    get pid() {
      return server.pid;
    },
    get ended() {
      return server.ended;
    },
    createBucket: (name) => createBucket(address, name),
    start: () => server.start(),
    stop: () => server.stop(),
    kill: () => server.kill(),
  };
}

/** @throws {MarketDataError} `STORE_REFUSED` with the server's answer */
export async function createBucket(address: S3Address, name: string): Promise<void> {
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name)) {
    throw new MarketDataError(
      'CONFIG_INVALID',
      `bucket ${JSON.stringify(name)}: 3 to 63 lower-case letters, digits, dots and dashes`,
    );
  }
  const { status, body } = await signedRequest(address, 'PUT', `/${name}`, AbortSignal.timeout(REQUEST_MS));
  // 409: it is there, and on a server with one account it is ours.
  if (status === 200 || status === 409) return;
  throw new MarketDataError('STORE_REFUSED', `bucket ${name} cannot be made: ${status} ${body}`);
}

async function chooseProgram(folder: string, options: S3Options): Promise<S3Program> {
  const { conditionalWrites, signal, onLog = () => undefined } = options;
  if (conditionalWrites === false) return await s3rver(folder);
  try {
    const missing = versitygwUnavailable();
    if (missing !== undefined) throw new MarketDataError('STORE_UNAVAILABLE', missing);
    return await versitygw(folder, await fetchVersitygw(signal, onLog));
  } catch (error) {
    signal.throwIfAborted();
    if (conditionalWrites === true || !(error instanceof MarketDataError)) throw error;
    onLog(`s3rver takes its place and ignores If-None-Match, so several writers are not safe on it: ${error.message}`);
    return await s3rver(folder);
  }
}

async function versitygw(folder: string, program: string): Promise<S3Program> {
  const data = join(folder, 'versitygw');
  await mkdir(data, { recursive: true });
  const credentials = { accessKeyId: 'aipx', secretAccessKey: await keptSecret(join(folder, 'secret')) };
  // Not in the command line, which everybody on the machine can read.
  const env = {
    ...ENVIRONMENT,
    ROOT_ACCESS_KEY_ID: credentials.accessKeyId,
    ROOT_SECRET_ACCESS_KEY: credentials.secretAccessKey,
  };
  return {
    conditionalWrites: true,
    credentials,
    commandAt: (port) => ({
      program,
      args: ['--port', `${HOST}:${port}`, '--region', S3_REGION, '--keep-alive', '--quiet', 'posix', data],
      env,
      cwd: folder,
    }),
  };
}

async function s3rver(folder: string): Promise<S3Program> {
  const data = join(folder, 's3rver');
  await mkdir(data, { recursive: true });
  return {
    conditionalWrites: false,
    // The only ones that it knows.
    credentials: { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' },
    commandAt: (port) => ({
      program: process.execPath,
      // The continuation tokens of its listings are ciphered by DES, which OpenSSL 3 counts as legacy.
      args: [
        ...['--openssl-legacy-provider', s3rverScript(), '--directory', data],
        ...['--address', HOST, '--port', String(port), '--no-vhost-buckets'],
      ],
      env: ENVIRONMENT,
      cwd: folder,
    }),
  };
}

/** Made at the first start and kept, so that clients find the server as they left it. */
async function keptSecret(path: string): Promise<string> {
  const secret = randomBytes(24).toString('base64url');
  try {
    await writeFile(path, `${secret}\n`, { mode: 0o600, flag: 'wx' });
    return secret;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return (await readFile(path, 'utf8')).trim();
  }
}
