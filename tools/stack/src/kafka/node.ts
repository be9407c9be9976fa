import { ServedProcess, type ServerOptions } from '../served-process.js';
import type { ServerCommand } from '../server-process.js';
import { askForCluster } from './answers.js';
import { java, kafkaFiles } from './artifacts.js';
import type { NodeFiles, NodeLayout } from './layout.js';

/** One broker and controller. */
export interface KafkaNode {
  /** From 1 on. */
  readonly id: number;
  /** Where clients find it, `host:port`; it never changes. */
  readonly address: string;
  /** `undefined` while it does not run. */
  readonly pid: number | undefined;
  /**
   * Starts it again with the same ports and folder; resolves when it answers. A node answers only while most nodes run:
   * start two that are down at the same time.
   */
  start(): Promise<void>;
  /** SIGTERM; resolves when it is gone. */
  stop(): Promise<void>;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  /** SIGSTOP: its connections stay open and nothing answers. */
  pause(): void;
  /** SIGCONT. */
  resume(): void;
}

export interface NodeOptions extends ServerOptions {
  readonly heapMb: number;
  /** More flags for its JVM. */
  readonly jvm: readonly string[];
}

/** What a JVM needs of the environment: nothing that changes the broker. */
const ENVIRONMENT = { LC_ALL: 'C', TZ: 'UTC', PATH: '/usr/bin:/bin' };

export class ServedNode extends ServedProcess implements KafkaNode {
  readonly id: number;
  readonly #sees: (brokers: readonly number[], signal: AbortSignal) => Promise<boolean>;

  constructor({ id, port }: NodeLayout, files: NodeFiles, clusterId: string, options: NodeOptions) {
    const sees = async (brokers: readonly number[], signal: AbortSignal) => {
      const cluster = await askForCluster(port, signal);
      return cluster.clusterId === clusterId && brokers.every((broker) => cluster.brokers.includes(broker));
    };
    const name = `kafka-${id}`;
    const onLog = (line: string) => options.onLog(`${name}: ${line}`);
    super(
      { name, port, command: brokerCommand(files, options), answers: (signal) => sees([id], signal) },
      { ...options, onLog },
    );
    this.id = id;
    this.#sees = sees;
  }

  /** Waits until it answers and sees these brokers; the process must run. */
  async waitForBrokers(ids: readonly number[]): Promise<void> {
    await this.waitFor((signal) => this.#sees(ids, signal));
  }
}

function brokerCommand(files: NodeFiles, { heapMb, jvm }: NodeOptions): ServerCommand {
  const args = [
    `-Xmx${heapMb}m`,
    `-Xms${Math.min(heapMb, 128)}m`,
    '-XX:+UseG1GC',
    '-XX:MaxGCPauseMillis=20',
    '-XX:InitiatingHeapOccupancyPercent=35',
    '-XX:+ExitOnOutOfMemoryError',
    '-Djava.awt.headless=true',
    ...jvm,
    `-Dlog4j2.configurationFile=${kafkaFiles.logSettings}`,
    `-Daipx.log=${files.log}`,
    '-cp',
    kafkaFiles.classPath,
    'kafka.Kafka',
    files.properties,
  ];
  return { program: java(), args, env: ENVIRONMENT, cwd: files.folder };
}
