import { rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { MarketDataError } from '@aipx/market-model';
import { LocalServer, type LocalServerOptions } from '../local-server.js';
import { HOST } from '../ports.js';
import { redisAnswers } from './answers.js';
import { fetchRedis, redisUnavailable } from './programs.js';

export interface RedisOptions extends LocalServerOptions {
  /** @default none */
  readonly password?: string;
}

export interface RedisServer {
  readonly host: string;
  readonly port: number;
  /** `undefined` while it does not run. */
  readonly pid: number | undefined;
  /** Resolves when the process that runs now is gone. Never rejects. */
  readonly ended: Promise<void>;
  /** Starts it again at the same port with the same data; resolves when it answers. */
  start(): Promise<void>;
  /** SIGTERM; resolves when it is gone. */
  stop(): Promise<void>;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
}

/**
 * Starts a Redis of its own in a folder, on 127.0.0.1 only. What it acknowledged is there again after a kill: it appends
 * to a file. A server that a killed process left in the folder is ended first.
 *
 * @throws {MarketDataError} `CONFIG_DATA_DIR_IN_USE` while another process runs one there, `STORE_UNAVAILABLE` with what
 * is missing here or with what the server wrote
 */
export async function startRedis(options: RedisOptions): Promise<RedisServer> {
  const { password, signal, onLog = () => undefined } = options;
  const missing = redisUnavailable();
  if (missing !== undefined) throw new MarketDataError('STORE_UNAVAILABLE', missing);
  const folder = resolve(options.folder);
  const { program, env } = await fetchRedis(signal, onLog);
  const server = await LocalServer.launch({ ...options, folder }, async (port) => {
    const settings = join(folder, 'redis.conf');
    // The password stands in a file that others cannot read, not in the command line that all can.
    await rm(settings, { force: true });
    await writeFile(settings, settingsText(folder, port, password), { mode: 0o600 });
    return {
      name: 'redis',
      port,
      command: { program, args: [settings], env, cwd: folder },
      answers: (within) => redisAnswers(port, password, within),
    };
  });
  return {
    host: HOST,
    port: server.port,
    get pid() {
      return server.pid;
    },
    get ended() {
      return server.ended;
    },
    start: () => server.start(),
    stop: () => server.stop(),
    kill: () => server.kill(),
  };
}

function settingsText(folder: string, port: number, password: string | undefined): string {
  const settings = {
    bind: HOST,
    port: String(port),
    dir: quoted(folder),
    daemonize: 'no',
    save: '""',
    appendonly: 'yes',
    appendfsync: 'everysec',
    maxmemory: '256mb',
    'maxmemory-policy': 'noeviction',
    ...(password === undefined ? {} : { requirepass: quoted(password) }),
  };
  return Object.entries(settings)
    .map(([name, value]) => `${name} ${value}\n`)
    .join('');
}

function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}
