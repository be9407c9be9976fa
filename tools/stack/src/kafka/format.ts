import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../programs.js';
import { java, kafkaFiles, sharedClasses } from './artifacts.js';
import { nodeFiles, type ClusterLayout, type NodeFiles } from './layout.js';

/** A tool that runs for a moment: little memory, no time spent on fast code. */
const SMALL = ['-Xmx128m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];

/** Gives each node's data folder the cluster's id, once. */
export async function format(folder: string, { clusterId, nodes }: ClusterLayout, signal: AbortSignal): Promise<void> {
  const files = nodes.map(({ id }) => nodeFiles(folder, id));
  // Written last: a folder without it is formatted anew.
  const unformatted = files.filter(({ data }) => !existsSync(join(data, 'meta.properties')));
  await Promise.all(unformatted.map((node) => run(java(), formatArguments(node, clusterId), { signal })));
}

function formatArguments({ log, properties }: NodeFiles, clusterId: string): readonly string[] {
  return [
    ...SMALL,
    ...sharedClasses(),
    `-Dlog4j2.configurationFile=${kafkaFiles.logSettings}`,
    `-Daipx.log=${log}`,
    '-cp',
    kafkaFiles.classPath,
    'kafka.tools.StorageTool',
    ...['format', '--cluster-id', clusterId, '--config', properties],
  ];
}
