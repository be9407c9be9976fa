import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { isMainThread } from 'node:worker_threads';
import { isExecutable } from './programs.js';

export interface ServerCommand {
  readonly program: string;
  readonly args: readonly string[];
  /** All that it sees of an environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
}

const TAIL_LINES = 40;
/** How long a server gets to end by itself. */
const STOP_MS = 30_000;
/** The place is fixed, so that nobody's `PATH` decides what runs. */
const SETPRIV_PLACES = ['/usr/bin/setpriv', '/bin/setpriv', '/usr/sbin/setpriv', '/usr/local/bin/setpriv'];

/** A server that runs as a child process, with the last lines it wrote. */
export class ServerProcess {
  /** Resolves when it is gone and all it wrote was read. Never rejects. */
  readonly ended: Promise<void>;
  readonly #child: ChildProcess;
  readonly #tail: string[] = [];

  /** @param onLine called with each line that it writes */
  constructor({ program, args, env, cwd }: ServerCommand, onLine: (line: string) => void) {
    const [command = program, ...words] = [...diesWithThisProcess(), program, ...args];
    // A session of its own: Ctrl-C goes to the whole process group, and clients must drain before their server ends.
    this.#child = spawn(command, words, { detached: true, cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    // A program that cannot be started at all has an 'error' and no 'close'.
    this.ended = once(this.#child, 'close').then(
      () => undefined,
      (cause: unknown) => void this.#tail.push(String(cause)),
    );
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      if (stream === null) continue;
      createInterface({ input: stream }).on('line', (line) => {
        this.#tail.push(line);
        if (this.#tail.length > TAIL_LINES) this.#tail.shift();
        onLine(line);
      });
    }
  }

  /** `undefined` when it could not be started. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** 0 after success; `undefined` while it runs, when a signal ended it, or when it never ran. */
  get exitCode(): number | undefined {
    return this.#child.exitCode ?? undefined;
  }

  get isRunning(): boolean {
    return this.#child.pid !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** What it wrote last, for the text of an error. */
  get tail(): string {
    return this.#tail.join('\n');
  }

  send(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Lets the application end without waiting for this process. */
  unref(): void {
    this.#child.unref();
    for (const stream of [this.#child.stdout, this.#child.stderr]) (stream as Socket | null)?.unref();
  }

  /** Asks it to end, and makes it after a while. Resolves when it is gone. */
  async stop(): Promise<void> {
    this.#child.ref();
    this.send('SIGTERM');
    // A process that is suspended takes a signal only when it goes on.
    this.send('SIGCONT');
    const waiting = new AbortController();
    const late = sleep(STOP_MS, true, { signal: waiting.signal }).catch(() => false);
    const isLate = await Promise.race([this.ended.then(() => false), late]);
    waiting.abort();
    if (isLate) await this.kill();
  }

  /** Ends it the hard way. Resolves when it is gone. */
  async kill(): Promise<void> {
    this.#child.ref();
    this.send('SIGKILL');
    await this.ended;
  }
}

/** The words before a command that ask the kernel to end it when this process dies; none where that cannot be asked. */
function diesWithThisProcess(): readonly string[] {
  // The kernel does it when the thread that started the server ends; in a worker that would be too early.
  if (process.platform !== 'linux' || !isMainThread) return [];
  const setpriv = SETPRIV_PLACES.find(isExecutable);
  return setpriv === undefined ? [] : [setpriv, '--pdeathsig=KILL'];
}
