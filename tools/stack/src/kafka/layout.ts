import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MarketDataError } from '@aipx/market-model';
import { HOST } from '../ports.js';

/** What a cluster keeps from one start to the next. */
export interface ClusterLayout {
  readonly clusterId: string;
  readonly nodes: readonly NodeLayout[];
}

export interface NodeLayout {
  readonly id: number;
  /** Where clients find it. */
  readonly port: number;
  readonly controllerPort: number;
}

/** The files of one node. */
export interface NodeFiles {
  readonly folder: string;
  readonly data: string;
  readonly properties: string;
  readonly log: string;
}

const MIN_DEDUPE_BUFFER = 4 * 1024 * 1024;

export function nodeFiles(folder: string, id: number): NodeFiles {
  const own = join(folder, `node-${id}`);
  return {
    folder: own,
    data: join(own, 'data'),
    properties: join(own, 'server.properties'),
    log: join(own, 'broker.log'),
  };
}

export async function readLayout(folder: string): Promise<ClusterLayout | undefined> {
  const path = layoutFile(folder);
  try {
    return JSON.parse(await readFile(path, 'utf8')) as ClusterLayout;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new MarketDataError(
      'STORE_DAMAGED',
      `${path} cannot be read (${String(cause)}); remove ${folder} to begin with an empty Kafka`,
      { cause },
    );
  }
}

/** Writes the layout and each node's settings. */
export async function writeLayout(
  folder: string,
  layout: ClusterLayout,
  properties: Readonly<Record<string, string>>,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const draft = `${layoutFile(folder)}.new`;
  await writeFile(draft, `${JSON.stringify(layout)}\n`);
  await rename(draft, layoutFile(folder));
  for (const node of layout.nodes) {
    const files = nodeFiles(folder, node.id);
    await mkdir(files.folder, { recursive: true });
    const settings = Object.entries({ ...nodeProperties(layout, node, files.data), ...properties });
    await writeFile(files.properties, settings.map(([name, value]) => `${name}=${escaped(value)}\n`).join(''));
  }
}

/** As Kafka makes them: 16 bytes, and no dash in front, which its tools would take for a flag. */
export function newClusterId(): string {
  for (;;) {
    const id = randomBytes(16).toString('base64url');
    if (!id.startsWith('-')) return id;
  }
}

function layoutFile(folder: string): string {
  return join(folder, 'cluster.json');
}

/** The settings of a node, before those that a caller adds. */
export function nodeProperties(
  layout: ClusterLayout,
  node: NodeLayout,
  data: string,
): Readonly<Record<string, string>> {
  const replication = String(layout.nodes.length);
  // With three nodes one may be away; with one there is nothing to wait for.
  const inSync = String(Math.max(1, layout.nodes.length - 1));
  const clients = `PLAINTEXT://${HOST}:${node.port}`;
  return {
    'process.roles': 'broker,controller',
    'node.id': String(node.id),
    'controller.quorum.voters': layout.nodes
      .map(({ id, controllerPort }) => `${id}@${HOST}:${controllerPort}`)
      .join(','),
    listeners: `${clients},CONTROLLER://${HOST}:${node.controllerPort}`,
    'advertised.listeners': clients,
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'log.dirs': data,
    'auto.create.topics.enable': 'false',
    'default.replication.factor': replication,
    'min.insync.replicas': inSync,
    'offsets.topic.num.partitions': '4',
    'offsets.topic.replication.factor': replication,
    'transaction.state.log.num.partitions': '4',
    'transaction.state.log.replication.factor': replication,
    'transaction.state.log.min.isr': inSync,
    'share.coordinator.state.topic.num.partitions': '4',
    'share.coordinator.state.topic.replication.factor': replication,
    'share.coordinator.state.topic.min.isr': inSync,
    'group.initial.rebalance.delay.ms': '0',
    // A broker that was killed is let in again only when its session has ended; the default is 9 s.
    'broker.session.timeout.ms': '4000',
    'broker.heartbeat.interval.ms': '1000',
    // Taken from the heap at start whatever there is to clean; its default is 128 MiB.
    'log.cleaner.dedupe.buffer.size': String(MIN_DEDUPE_BUFFER),
  };
}

/** A backslash begins an escape in a Java properties file. */
function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}
