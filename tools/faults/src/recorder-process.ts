import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export interface RecorderOptions {
  /** The program and what comes before its own arguments. */
  readonly command: readonly string[];
  /** Where it runs, so that no `.env` of anybody is read, and where its log goes. */
  readonly folder: string;
  readonly name: string;
  readonly settings: Readonly<Record<string, string>>;
  /** Told when it ends though nobody asked it to. */
  readonly onEnd: (how: string) => void;
}

const LONGEST_STOP_MS = 30_000;

/** One life of a recorder, as a process of its own. */
export class RecorderProcess {
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  #isAsked = false;
  #hasSpoken = false;

  constructor({ command, folder, name, settings, onEnd }: RecorderOptions) {
    const [program = process.execPath, ...args] = command;
    const log = createWriteStream(join(folder, `${name}.log`), { flags: 'a' });
    this.#child = spawn(program, args, {
      cwd: folder,
      env: { PATH: process.env['PATH'] ?? '', ...settings },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on('data', (bytes: Buffer) => {
        this.#hasSpoken = true;
        log.write(bytes);
      });
    }
    this.#child.on('close', () => log.end());
    this.#ended = once(this.#child, 'exit').then(([code, signal]) => {
      if (!this.#isAsked) onEnd(`${name} ended by itself (${String(signal ?? `exit code ${String(code)}`)})`);
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null && !this.#isAsked;
  }

  /** SIGKILL, at once. */
  kill(): void {
    this.#isAsked = true;
    this.#child.kill('SIGKILL');
  }

  /** Resolves when it is gone. */
  async gone(): Promise<void> {
    await this.#ended;
  }

  /** SIGTERM. @returns what was wrong with its end, if anything was */
  async terminate(): Promise<string | undefined> {
    this.#isAsked = true;
    this.#child.kill('SIGTERM');
    const waiting = new AbortController();
    const late = sleep(LONGEST_STOP_MS, 'late', { signal: waiting.signal }).catch(() => undefined);
    const outcome = await Promise.race([this.#ended, late]);
    waiting.abort();
    if (outcome === 'late') {
      this.#child.kill('SIGKILL');
      await this.#ended;
      return `did not end within ${LONGEST_STOP_MS / 1_000} s of SIGTERM`;
    }
    // Before its first word it has not begun to listen to signals.
    if (!this.#hasSpoken && this.#child.signalCode === 'SIGTERM') return undefined;
    const how = this.#child.signalCode ?? `code ${this.#child.exitCode}`;
    return how === 'code 0' ? undefined : `ended with ${how} after SIGTERM; expected code 0`;
  }

  /** SIGSTOP: its connections stay open, and it does not know. */
  pause(): void {
    this.#child.kill('SIGSTOP');
  }

  resume(): void {
    this.#child.kill('SIGCONT');
  }
}
