import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { basename } from 'node:path';

/** A script of this folder as a process of its own, which answers what it is asked with one message each. */
export class Child implements AsyncDisposable {
  readonly pid: number;
  readonly #name: string;
  readonly #process: ChildProcess;
  readonly #ended: Promise<unknown>;

  private constructor(name: string, process: ChildProcess, pid: number) {
    this.#name = name;
    this.#process = process;
    this.pid = pid;
    this.#ended = once(process, 'exit');
  }

  /**
   * Starts the script and gives it what it is to do.
   *
   * @param script absolute path
   * @param nodeFlags of its Node.js
   */
  static start(script: string, task: object, nodeFlags: readonly string[]): Child {
    const name = basename(script, '.ts');
    const process = fork(script, { execArgv: [...nodeFlags], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    process.on('error', () => undefined); // that it did not start shows below
    if (process.pid === undefined) throw new Error(`${name} could not be started`);
    process.send(task);
    return new Child(name, process, process.pid);
  }

  /** The next message. @throws when the process ends without one, or with the signal's reason */
  async says<Message>(signal: AbortSignal): Promise<Message> {
    const over = new AbortController();
    try {
      const heard = once(this.#process, 'message', { signal: AbortSignal.any([signal, over.signal]) });
      const ended = this.#ended.then(() => {
        throw new Error(`${this.#name} ended with ${this.#process.exitCode ?? this.#process.signalCode}`);
      });
      const [message] = (await Promise.race([heard, ended])) as [Message];
      return message;
    } finally {
      over.abort();
    }
  }

  async ask<Message>(question: string, signal: AbortSignal): Promise<Message> {
    const answer = this.says<Message>(signal);
    this.#process.send(question);
    return await answer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) this.#process.kill('SIGKILL');
    await this.#ended;
  }
}
