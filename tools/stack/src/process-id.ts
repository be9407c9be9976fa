import { setTimeout as sleep } from 'node:timers/promises';
import { startMark } from '@aipx/embedded-postgres/process-table';
import { MarketDataError } from '@aipx/market-model';

/** A process, told from a later one with the same id by its start time as the system writes it. */
export interface ProcessId {
  readonly pid: number;
  readonly started: string;
}

const GONE_MS = 10_000;
const LOOK_EVERY_MS = 20;

/** `undefined` when there is no such process; a zombie counts as none. */
export async function identify(pid: number): Promise<ProcessId | undefined> {
  const started = await startMark(pid);
  return started === undefined ? undefined : { pid, started };
}

export async function isRunning({ pid, started }: ProcessId): Promise<boolean> {
  return (await identify(pid))?.started === started;
}

/**
 * Ends a process that is no child of ours: with SIGKILL, since nobody waits for what it would still say.
 *
 * @throws {MarketDataError} `STORE_UNAVAILABLE` when it belongs to another user or does not end
 */
export async function endForeign(id: ProcessId, signal: AbortSignal): Promise<void> {
  if (!(await isRunning(id))) return;
  try {
    process.kill(id.pid, 'SIGKILL');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ESRCH') return;
    throw new MarketDataError('STORE_UNAVAILABLE', `process ${id.pid} of an earlier run cannot be ended`, { cause });
  }
  if (await hasEnded(id, GONE_MS, signal)) return;
  throw new MarketDataError('STORE_UNAVAILABLE', `process ${id.pid} of an earlier run does not end; end it by hand`);
}

/** Waits for the end of a process that is no child of ours: nobody tells us when that is. */
export async function hasEnded(id: ProcessId, forMs: number, signal: AbortSignal): Promise<boolean> {
  const until = performance.now() + forMs;
  while (await isRunning(id)) {
    if (performance.now() > until) return false;
    await sleep(LOOK_EVERY_MS, undefined, { signal });
  }
  return true;
}
