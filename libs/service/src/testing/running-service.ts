import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly code?: string;
  readonly [name: string]: unknown;
}

export interface RunningServiceOptions {
  /** The script. */
  readonly main: string;
  /** All that is in its environment, beside `PATH` and `HTTP_PORT=0`. */
  readonly settings: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
}

/** A service as its users run it: a process with settings in its environment, watched from outside. For tests. */
export class RunningService {
  readonly child: ChildProcess;
  readonly lines: LogLine[] = [];
  /** What is no JSON line, such as the faults of a start. */
  readonly texts: string[] = [];
  readonly exited: Promise<number | null>;
  readonly #folder: string;
  #news = Promise.withResolvers<undefined>();

  constructor({ main, settings, args = [] }: RunningServiceOptions) {
    this.#folder = mkdtempSync(join(tmpdir(), 'aipx-service-'));
    this.child = spawn(process.execPath, [main, ...args], {
      cwd: this.#folder, // no .env of a developer, and folders that are nobody else's
      env: { PATH: process.env['PATH'], HTTP_PORT: '0', ...settings },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.exited = once(this.child, 'exit').then(([code]) => code as number | null);
    for (const stream of [this.child.stdout, this.child.stderr]) {
      if (stream !== null) createInterface({ input: stream }).on('line', (line) => this.#line(line));
    }
  }

  /** Kills it if it still runs, and removes what it left. */
  async dispose(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      this.child.kill('SIGKILL');
      await this.exited;
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** The first log line that the pattern matches, past or to come. */
  says(pattern: RegExp): Promise<LogLine> {
    return this.untilLine(({ message }) => pattern.test(message));
  }

  /** The first log line that is meant, past or to come. Rejects when the process ends without it. */
  async untilLine(isMeant: (line: LogLine) => boolean): Promise<LogLine> {
    for (;;) {
      const news = this.#news.promise;
      const line = this.lines.find(isMeant);
      if (line !== undefined) return line;
      const code = await Promise.race([news, this.exited]);
      if (code !== undefined) {
        const said = [...this.lines.map(({ message }) => message), ...this.texts].join('\n');
        throw new Error(`it ended with ${code} and never said what was waited for:\n${said}`);
      }
    }
  }

  async get(path: string, headers: Readonly<Record<string, string>> = {}): Promise<{ status: number; body: string }> {
    const { http_port: port } = await this.says(/^health and metrics on port/);
    const response = await fetch(`http://127.0.0.1:${String(port)}${path}`, { headers });
    return { status: response.status, body: await response.text() };
  }

  /** @returns the exit code and how long it took, ms */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<{ code: number | null; tookMs: number }> {
    const at = performance.now();
    this.child.kill(signal);
    return { code: await this.exited, tookMs: performance.now() - at };
  }

  #line(text: string): void {
    try {
      this.lines.push(JSON.parse(text) as LogLine);
    } catch {
      this.texts.push(text);
    }
    this.#news.resolve(undefined);
    this.#news = Promise.withResolvers();
  }
}
