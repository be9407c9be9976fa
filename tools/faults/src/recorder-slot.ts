import type { Moment, Deed } from './moment.ts';
import { PostgresProxy } from './proxy/postgres-proxy.ts';
import { S3Proxy } from './proxy/s3-proxy.ts';
import { RecorderProcess } from './recorder-process.ts';
import { Watch } from './watch.ts';

export interface SlotOptions {
  readonly name: string;
  readonly command: readonly string[];
  readonly folder: string;
  readonly databasePort: number;
  readonly s3Port: number;
  /** Of the recorder, given the ports of its wires. */
  readonly settings: (databasePort: number, s3Port: number) => Readonly<Record<string, string>>;
  readonly otherwise: (moment: Moment) => Deed;
  readonly onEnd: (how: string) => void;
}

/** A recorder's place: its own wires to both stores, so that whoever is seen on them is known, and one process at a time. */
export class RecorderSlot {
  readonly name: string;
  readonly watch: Watch;
  readonly #options: SlotOptions;
  readonly #database: PostgresProxy;
  readonly #s3: S3Proxy;
  #process: RecorderProcess | undefined;

  private constructor(options: SlotOptions, watch: Watch, database: PostgresProxy, s3: S3Proxy) {
    this.name = options.name;
    this.watch = watch;
    this.#options = options;
    this.#database = database;
    this.#s3 = s3;
  }

  static async open(options: SlotOptions): Promise<RecorderSlot> {
    const watch = new Watch(options.otherwise);
    const database = await PostgresProxy.open({ port: options.databasePort, judge: watch.judge });
    const s3 = await S3Proxy.open({ port: options.s3Port, judge: watch.judge });
    return new RecorderSlot(options, watch, database, s3);
  }

  get isRunning(): boolean {
    return this.#process?.isRunning === true;
  }

  start(): void {
    if (this.isRunning) return;
    const { settings, ...options } = this.#options;
    const process = new RecorderProcess({ ...options, settings: settings(this.#database.port, this.#s3.port) });
    this.#process = process;
    // A proxy that holds a message back does not read on, and so would not see that the other side is gone.
    void process.gone().then(() => this.#database.cut());
  }

  /** SIGKILL, at once. */
  kill(): void {
    this.#process?.kill();
  }

  async gone(): Promise<void> {
    await this.#process?.gone();
  }

  /** SIGTERM. @returns what was wrong with its end, if anything was */
  async terminate(): Promise<string | undefined> {
    const wrong = this.isRunning ? await this.#process?.terminate() : undefined;
    return wrong === undefined ? undefined : `${this.name} ${wrong}`;
  }

  pause(): void {
    this.#process?.pause();
  }

  resume(): void {
    this.#process?.resume();
  }

  /** Leaves nothing behind that runs. */
  async close(): Promise<void> {
    this.kill();
    await this.gone();
    await Promise.all([this.#database.close(), this.#s3.close()]);
  }
}
