import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { Metrics } from './metrics-text.ts';

export interface ServiceOptions {
  readonly app: 'data-ingestion' | 'data-recorder';
  /** Where it runs, so that no `.env` of anybody is read. */
  readonly folder: string;
  readonly nodeFlags: readonly string[];
  readonly settings: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

const APPS = join(import.meta.dirname, '..', '..', '..', '..', 'apps');
const ASK_EVERY_MS = 100;
const SETTLE_MS = 60_000;
const LINES_KEPT = 20;

/** The service as its users run it: a process with settings in its environment, seen from outside. */
export class Service implements AsyncDisposable {
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #signal: AbortSignal;
  readonly #ended: Promise<unknown>;
  readonly #port = Promise.withResolvers<number>();
  /** The last it said. */
  readonly #lines: string[] = [];

  private constructor(child: ChildProcess, pid: number, signal: AbortSignal) {
    this.#child = child;
    this.pid = pid;
    this.#signal = signal;
    this.#ended = once(child, 'close').then(() => this.#port.reject(this.#endedEarly()));
    this.#port.promise.catch(() => undefined); // whoever asks gets it
    for (const stream of [child.stdout, child.stderr]) {
      if (stream !== null) createInterface({ input: stream }).on('line', (line) => this.#heard(line));
    }
  }

  /** Starts it; resolves when it serves its metrics. */
  static async start({ app, folder, nodeFlags, settings, signal }: ServiceOptions): Promise<Service> {
    const { PATH, MALLOC_ARENA_MAX = '2' } = process.env;
    const child = spawn(process.execPath, [...nodeFlags, join(APPS, app, 'dist', 'main.js')], {
      cwd: folder,
      env: { PATH, MALLOC_ARENA_MAX, LOG_FORMAT: 'json', HTTP_PORT: '0', ...settings },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.on('error', () => undefined); // that it did not start shows below
    if (child.pid === undefined) throw new Error('the service could not be started: is Node.js there?');
    const service = new Service(child, child.pid, signal);
    await service.#port.promise;
    return service;
  }

  async metrics(): Promise<Metrics> {
    const answer = await fetch(`http://127.0.0.1:${await this.#port.promise}/metrics`, { signal: this.#signal });
    return new Metrics(await answer.text());
  }

  /** Asks for the metrics until they are as meant. @throws when they are not within that time, saying what was waited for */
  async until(what: string, isMeant: (metrics: Metrics) => boolean, withinMs = SETTLE_MS): Promise<Metrics> {
    const giveUpAt = performance.now() + withinMs;
    for (;;) {
      const metrics = await this.metrics();
      if (isMeant(metrics)) return metrics;
      if (performance.now() > giveUpAt) throw new Error(`waited ${withinMs / 1_000} s in vain: ${what}${this.#said()}`);
      await sleep(ASK_EVERY_MS, undefined, { signal: this.#signal });
    }
  }

  /** SIGTERM; resolves when it is gone. @throws unless it ends well */
  async stop(): Promise<void> {
    this.#child.kill('SIGTERM');
    await this.#ended;
    if (this.#child.exitCode !== 0) throw this.#endedEarly();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill('SIGKILL');
    await this.#ended;
  }

  #heard(line: string): void {
    this.#lines.push(line);
    if (this.#lines.length > LINES_KEPT) this.#lines.shift();
    const port = /"http_port":(\d+)/.exec(line)?.[1];
    if (port !== undefined) this.#port.resolve(Number(port));
  }

  #endedEarly(): Error {
    return new Error(`the service ended with ${this.#child.exitCode ?? this.#child.signalCode}${this.#said()}`);
  }

  #said(): string {
    return `; the last it said:\n${this.#lines.join('\n')}`;
  }
}
