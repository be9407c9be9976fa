import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { MarketDataError } from '@aipx/market-model';
import type { PostgresBinaries } from './binaries.js';
import type { RunAs } from './run-as.js';
import { PostgresProcess } from './server-process.js';

export const HOST = '127.0.0.1';

/** Small memory, one writer and a few readers; every commit is durable. */
const SETTINGS = {
  listen_addresses: HOST,
  unix_socket_directories: '',
  max_connections: '20',
  shared_buffers: '48MB',
  max_wal_size: '512MB',
  fsync: 'on',
  synchronous_commit: 'on',
  // Nothing replicates from here, and each helper process costs memory.
  wal_level: 'minimal',
  max_wal_senders: '0',
  max_logical_replication_workers: '0',
  io_method: 'sync',
  jit: 'off',
  // A client that was killed must not keep its locks until its statement ends.
  client_connection_check_interval: '5s',
  lc_messages: 'C',
};
const READY = 'database system is ready to accept connections';
const TRIES = 50;
const TRY_AGAIN_MS = 200;

export interface RunningServer {
  readonly process: PostgresProcess;
  readonly port: number;
}

/**
 * Starts the server of a cluster and waits until it takes connections, crash recovery included.
 *
 * @param port 0 for any that is free
 * @throws {MarketDataError} `STORE_UNAVAILABLE` with what the server wrote
 */
export async function startServer(
  binaries: PostgresBinaries,
  cluster: string,
  runAs: RunAs,
  port: number,
  signal: AbortSignal,
  onLog: (line: string) => void,
): Promise<RunningServer> {
  for (let tries = 1; ; tries += 1) {
    const chosen = port === 0 ? await freePort() : port;
    const server = await launch(binaries.postgres, serverArguments(cluster, chosen), runAs, signal, onLog);
    if (server.ready) return { process: server.process, port: chosen };
    if (tries === TRIES || !mayPassByItself(server.process.tail, port))
      throw notStarted(cluster, chosen, server.process);
    await sleep(TRY_AGAIN_MS, undefined, { signal });
  }
}

function serverArguments(cluster: string, port: number): string[] {
  const settings = Object.entries(SETTINGS).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  return ['-D', cluster, '-p', String(port), ...settings];
}

async function launch(
  program: string,
  args: readonly string[],
  runAs: RunAs,
  signal: AbortSignal,
  onLog: (line: string) => void,
): Promise<{ readonly process: PostgresProcess; readonly ready: boolean }> {
  signal.throwIfAborted();
  const ready = Promise.withResolvers<true>();
  const process = new PostgresProcess(program, args, runAs, (line) => {
    if (line.includes(READY)) ready.resolve(true);
    onLog(line);
  });
  const stop = () => void process.stop();
  signal.addEventListener('abort', stop, { once: true });
  const isReady = await Promise.race([ready.promise, process.ended.then(() => false)]);
  signal.removeEventListener('abort', stop);
  if (signal.aborted) await process.stop();
  signal.throwIfAborted();
  return { process, ready: isReady };
}

/**
 * The helpers of a server that was killed need a moment to notice and to let its memory go. And a port that was free
 * when it was chosen may be taken by now; one that was asked for is not chosen again.
 */
function mayPassByItself(output: string, port: number): boolean {
  return output.includes('is still in use') || (port === 0 && output.includes('could not bind'));
}

function notStarted(cluster: string, port: number, process: PostgresProcess): MarketDataError {
  const why = process.tail.includes('could not bind')
    ? `port ${port} of ${HOST} is taken; choose another, or 0 for any that is free`
    : process.tail;
  return new MarketDataError('STORE_UNAVAILABLE', `the PostgreSQL server of ${cluster} did not start: ${why}`);
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, HOST);
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}
