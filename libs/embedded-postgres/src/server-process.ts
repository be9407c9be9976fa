import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RunAs } from './run-as.js';

/** Nothing of the caller's environment reaches PostgreSQL: `PGDATA`, `LC_ALL` or `TZ` would change what it does. */
const ENVIRONMENT = { LC_ALL: 'C', TZ: 'UTC', PATH: '/usr/bin:/bin' };
const TAIL_LINES = 20;
/** A fast shutdown ends with a checkpoint; after this it is ended without one and recovers at the next start. */
const STOP_MS = 20_000;

/** A program of PostgreSQL that runs, with the last lines it wrote. */
export class PostgresProcess {
  /** Resolves when it is gone and all it wrote was read. Never rejects. */
  readonly ended: Promise<void>;
  readonly #child: ChildProcess;
  readonly #tail: string[] = [];

  /** @param onLine called with each line that it writes */
  constructor(program: string, args: readonly string[], runAs: RunAs, onLine: (line: string) => void) {
    const [command = program, ...words] = [...runAs.prefix, program, ...args];
    // A session of its own: Ctrl-C goes to the whole process group, and the application must drain before the
    // database ends.
    this.#child = spawn(command, words, {
      ...runAs.spawnAs,
      detached: true,
      cwd: '/',
      env: ENVIRONMENT,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    // A program that cannot be started at all has an 'error' and no 'close'.
    this.ended = once(this.#child, 'close').then(
      () => undefined,
      (cause: unknown) => void this.#tail.push(String(cause)),
    );
    if (this.#child.stderr === null) return;
    createInterface({ input: this.#child.stderr }).on('line', (line) => {
      this.#tail.push(line);
      if (this.#tail.length > TAIL_LINES) this.#tail.shift();
      onLine(line);
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** 0 after success; `undefined` while it runs, when a signal ended it, or when it never ran. */
  get exitCode(): number | undefined {
    return this.#child.exitCode ?? undefined;
  }

  /** What it wrote last, for the text of an error. */
  get tail(): string {
    return this.#tail.join('\n');
  }

  /** Lets the application end without waiting for this process. */
  unref(): void {
    this.#child.unref();
    (this.#child.stderr as Socket | null)?.unref();
  }

  /** Ends it: fast, then the hard way. Resolves when it is gone. */
  async stop(): Promise<void> {
    this.#child.ref();
    for (const ending of ['SIGINT', 'SIGQUIT', 'SIGKILL'] as const) {
      this.#child.kill(ending);
      const waiting = new AbortController();
      const late = sleep(STOP_MS, true, { signal: waiting.signal }).catch(() => false);
      const isLate = await Promise.race([this.ended.then(() => false), late]);
      waiting.abort();
      if (!isLate) return;
    }
  }
}
