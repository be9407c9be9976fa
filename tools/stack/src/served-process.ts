import { setTimeout as sleep } from 'node:timers/promises';
import { MarketDataError } from '@aipx/market-model';
import { HOST, isFree } from './ports.js';
import { ServerProcess, type ServerCommand } from './server-process.js';

/** What is started, and how to see that it truly answers. */
export interface ServerSpec {
  /** For errors and log lines: `kafka-1`, `redis`. */
  readonly name: string;
  readonly port: number;
  readonly command: ServerCommand;
  /** Asks it over its own protocol. A rejection means not yet. */
  readonly answers: (signal: AbortSignal) => Promise<boolean>;
}

export interface ServerOptions {
  /** Ends a start that is under way, also a later one. */
  readonly signal: AbortSignal;
  readonly onLog: (line: string) => void;
  /** Called when it runs and when it is gone. */
  readonly onChange: () => Promise<void>;
}

/** A whole Kafka cluster at once on a busy machine. */
const START_MS = 120_000;
const ASK_EVERY_MS = 50;
const ANSWER_MS = 2_000;

/** A server that can be started, stopped and killed again and again, always at the same port. */
export class ServedProcess {
  readonly #spec: ServerSpec;
  readonly #options: ServerOptions;
  #process: ServerProcess | undefined;
  #starting: Promise<void> | undefined;

  constructor(spec: ServerSpec, options: ServerOptions) {
    this.#spec = spec;
    this.#options = options;
  }

  get name(): string {
    return this.#spec.name;
  }

  /** Where clients find it, `host:port`. */
  get address(): string {
    return `${HOST}:${this.#spec.port}`;
  }

  /** `undefined` while it does not run. */
  get pid(): number | undefined {
    return this.#process?.isRunning ? this.#process.pid : undefined;
  }

  /** Resolves when the process that runs now is gone. Never rejects. */
  get ended(): Promise<void> {
    return this.#process?.ended ?? Promise.resolve();
  }

  /** Whether its last start failed because somebody else listens at its port. */
  get foundPortTaken(): boolean {
    return /address already in use|EADDRINUSE/i.test(this.#process?.tail ?? '');
  }

  /** Resolves when it answers; at once when it runs already. */
  start(): Promise<void> {
    if (this.#starting === undefined && this.pid !== undefined) return Promise.resolve();
    this.#starting ??= this.#start().finally(() => {
      this.#starting = undefined;
    });
    return this.#starting;
  }

  /** SIGTERM; resolves when it is gone. */
  async stop(): Promise<void> {
    await this.#process?.stop();
    await this.#options.onChange();
  }

  /** SIGKILL; resolves when it is gone. */
  async kill(): Promise<void> {
    await this.#process?.kill();
    await this.#options.onChange();
  }

  /** SIGSTOP: its connections stay open and nothing answers. */
  pause(): void {
    this.#process?.send('SIGSTOP');
  }

  /** SIGCONT. */
  resume(): void {
    this.#process?.send('SIGCONT');
  }

  /**
   * Waits for an answer of the process that runs now.
   *
   * @throws {MarketDataError} `STORE_UNAVAILABLE` with what it wrote last when it ends, or stays silent for too long
   */
  async waitFor(answers: (signal: AbortSignal) => Promise<boolean>): Promise<void> {
    const ended = new AbortController();
    void this.ended.then(() => ended.abort());
    const signal = AbortSignal.any([this.#options.signal, ended.signal, AbortSignal.timeout(START_MS)]);
    while (!signal.aborted) {
      const within = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]);
      if (await answers(within).catch(() => false)) return;
      await sleep(ASK_EVERY_MS, undefined, { signal }).catch(() => undefined);
    }
    this.#options.signal.throwIfAborted();
    const how = ended.signal.aborted ? 'ended' : `does not answer at ${this.address} after ${START_MS / 1000} s`;
    throw new MarketDataError('STORE_UNAVAILABLE', `${this.name} ${how}; it wrote last:\n${this.#process?.tail ?? ''}`);
  }

  async #start(): Promise<void> {
    const { name, port, command, answers } = this.#spec;
    const { signal, onLog, onChange } = this.#options;
    signal.throwIfAborted();
    // Else the other one might answer in its place.
    if (!(await isFree(port))) {
      throw new MarketDataError(
        'STORE_UNAVAILABLE',
        `${name} cannot start: port ${port} of ${HOST} is taken; give another`,
      );
    }
    const server = new ServerProcess(command, onLog);
    // An application that forgets to stop it may still end; the kernel, or the next start, then ends the server.
    server.unref();
    this.#process = server;
    try {
      await onChange();
      await this.waitFor(answers);
    } catch (error) {
      await this.kill();
      throw error;
    }
  }
}
