import { fork } from 'node:child_process';
import { once } from 'node:events';
import { extname, join } from 'node:path';
import { MarketDataError } from '@aipx/market-model';
import { endForeign, hasEnded, isRunning } from '../process-id.js';
import type { Part } from './parts.js';
import { removeState, type PartState, type StackFolder } from './state.js';

/** What a keeper is started with, as its one argument. */
export interface KeeperTask {
  readonly part: Part;
  readonly path: string;
  readonly nodes: 1 | 3;
}

/** What a keeper says once, over the channel to whoever started it. */
export type KeeperReport = { readonly ready: true } | { readonly failed: string };

/** The built file, or the source where the sources are run. */
const KEEPER = join(import.meta.dirname, `keeper${extname(import.meta.filename)}`);
/** A keeper ends its servers in order; Kafka takes up to half a minute. */
const STOP_MS = 60_000;

/**
 * Starts a part under a keeper that lives on when this process ends. Resolves when the part answers; its state is
 * written then.
 *
 * @throws {MarketDataError} `STORE_UNAVAILABLE` with what the part said; nothing runs then
 */
export async function startKept(task: KeeperTask, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const keeper = fork(KEEPER, [JSON.stringify(task)], {
    detached: true,
    cwd: '/',
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  const ended = once(keeper, 'exit').then((): KeeperReport => ({ failed: 'its keeper ended without a word' }));
  const said = once(keeper, 'message').then(([report]) => report as KeeperReport);
  const give = () => keeper.kill('SIGTERM');
  signal.addEventListener('abort', give, { once: true });
  try {
    const report = await Promise.race([said, ended]);
    if ('ready' in report) {
      keeper.unref();
      return;
    }
    await ended;
    signal.throwIfAborted();
    throw new MarketDataError('STORE_UNAVAILABLE', report.failed);
  } finally {
    signal.removeEventListener('abort', give);
  }
}

/** Ends a native part: its keeper in order, and what a keeper that died may have left. */
export async function stopKept(folder: StackFolder, state: PartState, signal: AbortSignal): Promise<void> {
  const { keeper, servers, part } = state;
  if (keeper !== undefined && (await isRunning(keeper))) {
    process.kill(keeper.pid, 'SIGTERM');
    if (!(await hasEnded(keeper, STOP_MS, signal))) await endForeign(keeper, signal);
  }
  const left = servers.map(({ process: id }) => id).filter((id) => id !== undefined);
  await Promise.all(left.map((id) => endForeign(id, signal)));
  await removeState(folder, part);
}
