import { resolve } from 'node:path';
import { MarketDataError } from '@aipx/market-model';
import { FolderClaim } from '../folder-claim.js';
import { freePorts, isFree } from '../ports.js';
import { identify } from '../process-id.js';
import { kafkaUnavailable, sharedClasses } from './artifacts.js';
import { fetchKafka } from './fetch.js';
import { format } from './format.js';
import { newClusterId, nodeFiles, readLayout, writeLayout, type ClusterLayout } from './layout.js';
import { ServedNode, type KafkaNode } from './node.js';

export interface KafkaCluster {
  /** `host:port` of every node, as `KAFKA_BROKERS` lists them. */
  readonly brokers: readonly string[];
  readonly nodes: readonly KafkaNode[];
  /** Ends every node that runs. Resolves when all are gone. */
  stop(): Promise<void>;
}

export interface KafkaOptions {
  /** Holds everything of the cluster; made if it is missing. One process at a time may use it. */
  readonly folder: string;
  /** A folder keeps the number it was made with. @default 1 */
  readonly nodes?: 1 | 3;
  /** Client ports, one a node. @default those of the last start if they are free, else any that are */
  readonly ports?: readonly number[];
  /** Added to each node's `server.properties`, over what stands there. */
  readonly properties?: Readonly<Record<string, string>>;
  /** Most heap of a node, in MiB. @default 384 */
  readonly heapMb?: number;
  /** Ends a start that is under way, also a later one of a single node; a cluster that runs is ended by `stop()`. */
  readonly signal: AbortSignal;
  /** Called with each line of the brokers' logs. */
  readonly onLog?: (line: string) => void;
}

const DEFAULT_HEAP_MB = 384;
const TRIES = 3;

/**
 * Starts a Kafka cluster of its own in a folder, on 127.0.0.1 only: every node is broker and controller (KRaft). Resolves
 * when every node answers and sees the others. Brokers that a killed process left in the folder are ended first; the
 * cluster id, the topics and the records of an earlier start are kept.
 *
 * @throws {MarketDataError} `CONFIG_INVALID` for ports or nodes that do not fit, `CONFIG_DATA_DIR_IN_USE` while another
 * process runs a cluster there, `STORE_UNAVAILABLE` with what is missing here or with the end of a broker's log
 */
export async function startKafka(options: KafkaOptions): Promise<KafkaCluster> {
  return await launchKafka(options);
}

/** A cluster with the ends of its nodes, for those that watch over it. */
export interface ServedCluster extends KafkaCluster {
  readonly nodes: readonly ServedNode[];
}

export async function launchKafka(options: KafkaOptions): Promise<ServedCluster> {
  const { ports, signal, onLog = () => undefined } = options;
  const count = options.nodes ?? 1;
  if (ports !== undefined && ports.length !== count) {
    throw new MarketDataError(
      'CONFIG_INVALID',
      `${count} Kafka nodes need ${count} ports, and ${ports.length} are given`,
    );
  }
  const missing = kafkaUnavailable();
  if (missing !== undefined) throw new MarketDataError('STORE_UNAVAILABLE', missing);
  const folder = resolve(options.folder);
  const claim = await FolderClaim.take(folder, signal);
  try {
    await fetchKafka(signal, onLog);
    for (let tries = 1; ; tries += 1) {
      const layout = await chooseLayout(folder, count, ports);
      await writeLayout(folder, layout, options.properties ?? {});
      await format(folder, layout, signal);
      const cluster = new LocalCluster(folder, layout, claim, { ...options, onLog });
      const failure = await cluster.start();
      if (failure === undefined) return cluster;
      // A port that was free when it was chosen may be taken by now; one that was asked for is not chosen again.
      if (tries === TRIES || ports !== undefined || !cluster.foundPortTaken) throw failure;
    }
  } catch (error) {
    await claim.release();
    throw error;
  }
}

class LocalCluster implements ServedCluster {
  readonly nodes: readonly ServedNode[];
  readonly #claim: FolderClaim;
  #recording: Promise<void> = Promise.resolve();

  constructor(
    folder: string,
    layout: ClusterLayout,
    claim: FolderClaim,
    { heapMb = DEFAULT_HEAP_MB, signal, onLog }: KafkaOptions & { readonly onLog: (line: string) => void },
  ) {
    this.#claim = claim;
    const onChange = () => this.#record();
    const options = { heapMb, jvm: sharedClasses(), signal, onLog, onChange };
    this.nodes = layout.nodes.map(
      (node) => new ServedNode(node, nodeFiles(folder, node.id), layout.clusterId, options),
    );
  }

  get brokers(): readonly string[] {
    return this.nodes.map(({ address }) => address);
  }

  get foundPortTaken(): boolean {
    return this.nodes.some((node) => node.foundPortTaken);
  }

  /** Returns why it did not start; nothing runs then. */
  async start(): Promise<unknown> {
    try {
      await Promise.all(this.nodes.map((node) => node.start()));
      const ids = this.nodes.map(({ id }) => id);
      await Promise.all(this.nodes.map((node) => node.waitForBrokers(ids)));
      return undefined;
    } catch (error) {
      await Promise.all(this.nodes.map((node) => node.kill()));
      return error;
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.stop()));
    await this.#claim.release();
  }

  /** One after the other, so that the last write tells the last state. */
  #record(): Promise<void> {
    const record = async () => {
      const pids = this.nodes.flatMap(({ pid }) => (pid === undefined ? [] : [pid]));
      const found = await Promise.all(pids.map(identify));
      await this.#claim.record(found.filter((id) => id !== undefined));
    };
    this.#recording = this.#recording.then(record, record);
    return this.#recording;
  }
}

async function chooseLayout(
  folder: string,
  count: number,
  ports: readonly number[] | undefined,
): Promise<ClusterLayout> {
  const before = await readLayout(folder);
  if (before !== undefined && before.nodes.length !== count) {
    throw new MarketDataError(
      'CONFIG_INVALID',
      `the Kafka in ${folder} has ${before.nodes.length} nodes, and ${count} are asked for; ` +
        `ask for ${before.nodes.length}, or give another folder`,
    );
  }
  if (before !== undefined && (await canKeep(before, ports))) return before;
  const chosen = await freePorts(2 * count);
  const nodes = Array.from({ length: count }, (_, index) => ({
    id: index + 1,
    port: ports?.[index] ?? chosen[index] ?? 0,
    controllerPort: chosen[count + index] ?? 0,
  }));
  return { clusterId: before?.clusterId ?? newClusterId(), nodes };
}

/** Clients find the cluster where it was, unless another port is asked for or somebody took one meanwhile. */
async function canKeep({ nodes }: ClusterLayout, ports: readonly number[] | undefined): Promise<boolean> {
  if (ports !== undefined && nodes.some(({ port }, index) => port !== ports[index])) return false;
  const free = await Promise.all(nodes.flatMap(({ port, controllerPort }) => [isFree(port), isFree(controllerPort)]));
  return free.every(Boolean);
}
