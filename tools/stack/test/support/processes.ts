import { fork, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { identify } from '../../src/process-id.js';

const SUPPORT = import.meta.dirname;
/** Runs the TypeScript sources as they are. */
const NODE_FLAGS = [
  '--conditions=@aipx/source',
  '--import',
  join(SUPPORT, '..', '..', '..', 'testing', 'resolve-sources.mjs'),
];

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command line to its end. */
export async function stack(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Outcome> {
  const child = startStack(args, env);
  const [stdout, stderr, [code]] = await Promise.all([
    child.stdout ? text(child.stdout) : '',
    child.stderr ? text(child.stderr) : '',
    once(child, 'close') as Promise<[number | null]>,
  ]);
  return { code, stdout, stderr };
}

/** Runs the command line and leaves it running until the test is over. */
export function startStack(args: readonly string[], env: Readonly<Record<string, string>> = {}): ChildProcess {
  const main = join(SUPPORT, '..', '..', 'src', 'main.ts');
  const child = spawn(process.execPath, [...NODE_FLAGS, main, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

export interface Holder {
  /** Of the server that it holds. */
  readonly serverPid: number;
  /** What a client needs to find the server again. */
  readonly identity: string;
  /** Ends the holder without a chance to end its server. */
  kill(): Promise<void>;
}

/**
 * Another process that starts a server in a folder and holds it.
 *
 * @param thread from its main thread the kernel ends the server with it; from a worker it cannot be asked to
 */
export async function holdServer(
  server: 'redis' | 'kafka',
  thread: 'main' | 'worker',
  folder: string,
): Promise<Holder> {
  const child = fork(join(SUPPORT, 'hold-server.ts'), [server, thread, folder], { execArgv: NODE_FLAGS });
  const kill = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  };
  onTestFinished(kill);
  const ended = once(child, 'exit').then(([code]) => Promise.reject(new Error(`the holder ended: ${String(code)}`)));
  const [told] = (await Promise.race([once(child, 'message'), ended])) as [{ pid: number; identity: string }];
  ended.catch(() => undefined);
  return { serverPid: told.pid, identity: told.identity, kill };
}

/** Resolves when a process is gone that is no child of ours; a process that stays is for the test's timeout to find. */
export async function gone(pid: number): Promise<void> {
  while (await isAlive(pid)) await sleep(10);
}

/** A process that has ended and whose parent has not looked yet is not alive. */
export async function isAlive(pid: number): Promise<boolean> {
  return (await identify(pid)) !== undefined;
}
