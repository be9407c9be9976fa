import { readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { MarketDataError } from '@aipx/market-model';
import { commandLine, isAlive, startMark } from './process-table.js';

/** How long an orphaned server gets to write its shutdown checkpoint before it is ended the hard way. */
const FAST_SHUTDOWN_MS = 30_000;
const LOOK_EVERY_MS = 20;

/**
 * Stops the server that a killed process has left running on a cluster, if there is one, and takes away what it left.
 *
 * @throws {MarketDataError} `STORE_UNAVAILABLE` when the server does not end
 */
export async function clearOrphan(cluster: string, signal: AbortSignal): Promise<void> {
  const pid = await orphanOf(cluster);
  if (pid !== undefined) await stopOrphan(pid, cluster, signal);
  // The number in the file may belong to some other process of ours by now, and PostgreSQL would refuse to start.
  // Helpers of a server that was killed are still noticed without it, by the memory they share.
  await rm(lockFile(cluster), { force: true });
}

async function stopOrphan(pid: number, cluster: string, signal: AbortSignal): Promise<void> {
  const mark = await startMark(pid);
  for (const ending of ['SIGINT', 'SIGQUIT', 'SIGKILL'] as const) {
    send(pid, ending, cluster);
    if (await hasEnded(pid, mark, signal)) return;
  }
  throw new MarketDataError(
    'STORE_UNAVAILABLE',
    `the PostgreSQL server ${pid} of ${cluster} does not end; end it by hand`,
  );
}

function lockFile(cluster: string): string {
  return join(cluster, 'postmaster.pid');
}

/** The process that runs this cluster's server, proven by its command line and not only by the number in the file. */
async function orphanOf(cluster: string): Promise<number | undefined> {
  const [line = ''] = (await readFile(lockFile(cluster), 'utf8').catch(() => '')).split('\n');
  // PostgreSQL writes a negative number for a server in single-user mode.
  const pid = Math.abs(Number(line));
  if (!Number.isInteger(pid) || pid <= 1 || pid === process.pid || !isAlive(pid)) return undefined;
  const folder = clusterServedBy(await commandLine(pid));
  return folder !== undefined && (await sameFolder(folder, cluster)) ? pid : undefined;
}

/** The folder in the command line of a PostgreSQL server; both its own path and the folder's may hold spaces. */
export function clusterServedBy(commandLine: string): string | undefined {
  return /^(?:.*\/)?postgres -D (.+?)(?: -[a-z] .*)?$/.exec(commandLine)?.[1];
}

/** The folder may have been reached by another path, or moved since. */
async function sameFolder(one: string, other: string): Promise<boolean> {
  const [first, second] = await Promise.all([one, other].map((path) => stat(path).catch(() => undefined)));
  return first !== undefined && first.ino === second?.ino && first.dev === second.dev;
}

function send(pid: number, ending: NodeJS.Signals, cluster: string): void {
  try {
    process.kill(pid, ending);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ESRCH') return;
    throw new MarketDataError(
      'STORE_UNAVAILABLE',
      `the PostgreSQL server ${pid} of ${cluster} still runs and belongs to another user; end it, or give another --data-dir`,
      { cause },
    );
  }
}

/** It is no child of ours, so nobody tells us when it ends. */
async function hasEnded(pid: number, mark: string | undefined, signal: AbortSignal): Promise<boolean> {
  for (let waited = 0; waited < FAST_SHUTDOWN_MS; waited += LOOK_EVERY_MS) {
    if (!isAlive(pid) || (await startMark(pid)) !== mark) return true;
    await sleep(LOOK_EVERY_MS, undefined, { signal });
  }
  return false;
}
