import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export type Report = { readonly event: 'ready' | 'status' | 'summary' } & Readonly<Record<string, unknown>>;

const MAIN = join(import.meta.dirname, '..', '..', 'dist', 'main.js');

export interface Outcome {
  readonly code: number | null;
  readonly reports: readonly Report[];
  readonly summary: Report | undefined;
  readonly errors: string;
}

/** The built app as a process of its own, as `npm start` runs it. */
export class App {
  readonly process: ChildProcess;
  readonly outcome: Promise<Outcome>;
  readonly #reports: Report[] = [];
  readonly #waiting = new Set<{ readonly event: string; readonly resolve: (report: Report) => void }>();

  constructor(args: readonly string[], options: { readonly cwd?: string; readonly command?: readonly string[] } = {}) {
    const [program = process.execPath, ...before] = options.command ?? [process.execPath];
    this.process = spawn(program, [...before, MAIN, '--json', ...args], {
      cwd: options.cwd,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true, // a process group of its own, to be killed as a whole
      env: { ...process.env, INIT_CWD: options.cwd ?? process.cwd(), LOG_LEVEL: 'warn' },
    });
    this.outcome = this.#collect();
  }

  /** The next report of that kind. Rejects when the app ends without it. */
  async next(event: Report['event']): Promise<Report> {
    const report = Promise.withResolvers<Report>();
    const waiting = { event, resolve: report.resolve };
    this.#waiting.add(waiting);
    const ended = this.outcome.then(({ code, errors }) => {
      throw new Error(`the app ended with ${code} before a ${event}: ${errors}`);
    });
    return Promise.race([report.promise, ended]).finally(() => this.#waiting.delete(waiting));
  }

  signal(signal: NodeJS.Signals): void {
    this.process.kill(signal);
  }

  killGroup(): void {
    if (this.process.pid !== undefined) process.kill(-this.process.pid, 'SIGKILL');
  }

  async #collect(): Promise<Outcome> {
    const { stdout, stderr } = this.process;
    if (stdout === null || stderr === null) throw new Error('the app has no output');
    let errors = '';
    stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    const exited = once(this.process, 'close') as Promise<[number | null]>;
    for await (const line of createInterface({ input: stdout })) this.#received(JSON.parse(line) as Report);
    const [code] = await exited;
    return { code, reports: this.#reports, summary: this.#reports.find(({ event }) => event === 'summary'), errors };
  }

  #received(report: Report): void {
    this.#reports.push(report);
    for (const { event, resolve } of this.#waiting) if (event === report.event) resolve(report);
  }
}

/** Runs the app to its end. */
export async function runApp(
  args: readonly string[],
  options?: ConstructorParameters<typeof App>[1],
): Promise<Outcome> {
  return new App(args, options).outcome;
}

export function temporaryFolder(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'aipx-standalone-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}
