import { fork, type ChildProcess, type ForkOptions } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

export interface Holder {
  readonly child: ChildProcess;
  /** What the child tells next. */
  told(): Promise<Told>;
  /** Ends the child without a chance to clean up. */
  kill(): Promise<void>;
}

export interface Told {
  readonly url: string;
  readonly pid: number;
  readonly error?: { readonly code: string; readonly message: string };
}

/** Starts a child process that runs an embedded PostgreSQL; see `hold-database.ts`. */
export function holder(args: readonly string[], options: ForkOptions = {}): Holder {
  return hold(args, { execArgv: NODE_FLAGS, ...options });
}

/**
 * The same as another user, whom only root can make it. It may read everything, for this checkout may lie in a folder
 * that is closed to that user, but write nothing of others.
 */
export function holderAs(user: number, args: readonly string[]): Holder {
  const account = [`--reuid=${user}`, `--regid=${user}`, '--clear-groups', '--securebits=+no_setuid_fixup'];
  const rights = ['--inh-caps=-all,+dac_read_search', '--ambient-caps=-all,+dac_read_search'];
  const execArgv = [...account, ...rights, process.execPath, ...NODE_FLAGS];
  return hold(args, { execPath: '/usr/bin/setpriv', execArgv });
}

const FOLDER = import.meta.dirname;
const NODE_FLAGS = [
  '--conditions=@aipx/source',
  '--import',
  join(FOLDER, '../../../../tools/testing/resolve-sources.mjs'),
];

function hold(args: readonly string[], options: ForkOptions): Holder {
  const child = fork(join(FOLDER, 'hold-database.ts'), [...args], options);
  const kill = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  };
  onTestFinished(kill);
  const told = async () => {
    const [message] = (await Promise.race([
      once(child, 'message'),
      once(child, 'exit').then(([code]) => Promise.reject(new Error(`the child ended with ${String(code)}`))),
    ])) as [Told];
    return message;
  };
  return { child, told, kill };
}
