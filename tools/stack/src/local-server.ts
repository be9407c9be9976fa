import { FolderClaim } from './folder-claim.js';
import { identify } from './process-id.js';
import { freePorts } from './ports.js';
import { ServedProcess, type ServerSpec } from './served-process.js';

export interface LocalServerOptions {
  readonly folder: string;
  /** @default any that is free */
  readonly port?: number;
  readonly signal: AbortSignal;
  readonly onLog?: (line: string) => void;
}

const TRIES = 3;

/** One server in a folder of its own, claimed from its start to its stop. */
export class LocalServer {
  readonly port: number;
  readonly #folder: string;
  readonly #signal: AbortSignal;
  readonly #process: ServedProcess;
  #claim: FolderClaim | undefined;

  private constructor(spec: ServerSpec, { folder, signal, onLog = () => undefined }: LocalServerOptions) {
    this.port = spec.port;
    this.#folder = folder;
    this.#signal = signal;
    this.#process = new ServedProcess(spec, { signal, onLog, onChange: () => this.#record() });
  }

  /**
   * Starts a server. A port that was free when it was chosen may be taken by now; then another one is chosen.
   *
   * @param specFor the server at a port; called with the folder made and claimed
   */
  static async launch(
    options: LocalServerOptions,
    specFor: (port: number) => Promise<ServerSpec>,
  ): Promise<LocalServer> {
    const claim = await FolderClaim.take(options.folder, options.signal);
    try {
      for (let tries = 1; ; tries += 1) {
        const [port = 0] = options.port === undefined ? await freePorts(1) : [options.port];
        const server = new LocalServer(await specFor(port), options);
        server.#claim = claim;
        const failure = await server.start().then(
          () => undefined,
          (error: unknown) => error ?? new Error('the server did not start'),
        );
        if (failure === undefined) return server;
        if (tries === TRIES || options.port !== undefined || !server.#process.foundPortTaken) throw failure;
      }
    } catch (error) {
      await claim.release();
      throw error;
    }
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  get ended(): Promise<void> {
    return this.#process.ended;
  }

  async start(): Promise<void> {
    this.#claim ??= await FolderClaim.take(this.#folder, this.#signal);
    await this.#process.start();
  }

  async stop(): Promise<void> {
    await this.#process.stop();
    const claim = this.#claim;
    this.#claim = undefined;
    await claim?.release();
  }

  async kill(): Promise<void> {
    await this.#process.kill();
  }

  async #record(): Promise<void> {
    const { pid } = this.#process;
    const id = pid === undefined ? undefined : await identify(pid);
    await this.#claim?.record(id === undefined ? [] : [id]);
  }
}
