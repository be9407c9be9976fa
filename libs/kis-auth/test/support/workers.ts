import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { RedisSettings } from '../../src/index.js';

export interface WorkerSettings {
  readonly apiKey: string;
  readonly apiSecret: string;
  readonly url: string;
  readonly machineFolder: string;
  readonly leaseTtlMs: number;
  readonly redis?: RedisSettings;
  readonly tokenFile?: string;
}

type Step = 'token' | 'approvalKey' | 'claim' | 'release' | 'status';

interface Message {
  readonly id?: number;
  readonly event?: string;
  readonly answer?: unknown;
  readonly error?: unknown;
}

const RESOLVE_SOURCES = join(import.meta.dirname, '../../../../tools/testing/resolve-sources.mjs');

/** Another process, with everything of its own. */
export class Worker {
  readonly #child: ChildProcess;
  #steps = 0;
  output = '';

  private constructor(child: ChildProcess) {
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
    }
  }

  static async start(settings: WorkerSettings): Promise<Worker> {
    const child = fork(join(import.meta.dirname, 'worker.ts'), [JSON.stringify(settings)], {
      execArgv: ['--conditions=@aipx/source', '--import', RESOLVE_SOURCES],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    const worker = new Worker(child);
    onTestFinished(() => worker.kill());
    await worker.#message(({ event }) => event === 'ready');
    return worker;
  }

  async ask(step: Step): Promise<unknown> {
    this.#steps += 1;
    const id = this.#steps;
    const answered = this.#message((message) => message.id === id);
    this.#child.send({ step, id });
    const { answer, error } = await answered;
    if (error !== undefined) throw new Error(JSON.stringify(error));
    return answer;
  }

  /** Resolves when the process is told that its lease is lost. */
  async lost(): Promise<unknown> {
    return (await this.#message(({ event }) => event === 'lost')).error;
  }

  pause(): void {
    this.#child.kill('SIGSTOP');
  }

  resume(): void {
    this.#child.kill('SIGCONT');
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGKILL');
    await once(this.#child, 'exit');
  }

  async #message(isIt: (message: Message) => boolean): Promise<Message> {
    const { promise, resolve, reject } = Promise.withResolvers<Message>();
    const look = (message: unknown) => {
      if (isIt(message as Message)) resolve(message as Message);
    };
    const fail = () => reject(new Error(`the worker ended: ${this.output}`));
    this.#child.on('message', look).once('exit', fail);
    try {
      return await promise;
    } finally {
      this.#child.off('message', look).off('exit', fail);
    }
  }
}
