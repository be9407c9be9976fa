import { identify } from '../process-id.js';
import { holdPart } from './hold.js';
import type { KeeperReport, KeeperTask } from './keep.js';
import { LogFile } from './log-file.js';
import { removeState, stackFolder, writeState } from './state.js';

// Holds one part of the stack after the command that started it has ended: its servers die with this process, and
// SIGTERM ends both in order.

const task = JSON.parse(process.argv[2] ?? '') as KeeperTask;
const folder = stackFolder(task.path);
const log = new LogFile(folder.log(task.part));
const stop = new AbortController();
let isReady = false;
/** A server does not keep the process that started it from ending; this does. */
const FOREVER_MS = 2 ** 30;

for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stop.abort());
// The command that waits for the start was ended: nobody wants the part any more.
process.on('disconnect', () => isReady || stop.abort());
process.on('uncaughtException', (error) => {
  log.write(`keeper: ${error.stack ?? error.message}`);
  process.exit(1);
});

try {
  await keep();
  process.exit(0);
} catch (error) {
  const failed = error instanceof Error ? error.message : String(error);
  log.write(`keeper: ${failed}`);
  await report({ failed });
  process.exit(1);
}

async function keep(): Promise<void> {
  const part = await holdPart(task.part, {
    folder,
    nodes: task.nodes,
    signal: stop.signal,
    onLog: (line) => log.write(line),
  });
  const { env, servers } = part;
  const keeper = await identify(process.pid);
  await writeState(folder, { part: task.part, mode: 'native', env, servers, ...(keeper && { keeper }) });
  isReady = true;
  await report({ ready: true });
  const stopped = new Promise((resolve) => {
    if (stop.signal.aborted) resolve(true);
    stop.signal.addEventListener('abort', () => resolve(true), { once: true });
  });
  const holding = setInterval(() => undefined, FOREVER_MS);
  const isStopped = await Promise.race([stopped, part.ended.then(() => false)]);
  clearInterval(holding);
  await part.stop();
  if (isStopped !== true) throw new Error(`${task.part} ended by itself; what it wrote stands above`);
  await removeState(folder, task.part);
}

/** Tells the command that waits, if it still does. */
async function report(message: KeeperReport): Promise<void> {
  if (!process.connected) return;
  await new Promise((resolve) => process.send?.(message, resolve));
  process.disconnect?.();
}
