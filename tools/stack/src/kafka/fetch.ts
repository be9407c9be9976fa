import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fetchOnce } from '../fetch-once.js';
import { freePorts } from '../ports.js';
import { run } from '../programs.js';
import { packageFolder } from '../workspace.js';
import { archiveClasses, classArchiveFolder, JARS, KAFKA_VERSION } from './artifacts.js';
import { format } from './format.js';
import { newClusterId, nodeFiles, writeLayout } from './layout.js';
import { ServedNode } from './node.js';

const HEAP_MB = 256;

/** Gets what every broker on this machine shares, unless it is there: the class path pinned in `kafka/pom.xml`. */
export async function fetchKafka(signal: AbortSignal, onLog: (line: string) => void): Promise<void> {
  await fetchOnce(JARS, signal, async (unfinished) => {
    onLog(`fetching Kafka ${KAFKA_VERSION} by Maven (once; 45 MB)`);
    const pom = join(packageFolder, 'kafka', 'pom.xml');
    const into = `-DoutputDirectory=${unfinished}`;
    await run('mvn', ['-B', '-q', '-f', pom, 'dependency:copy-dependencies', into], { signal });
  });
  await fetchOnce(classArchiveFolder(), signal, async (unfinished) => {
    onLog('keeping the classes of Kafka ready for quick starts (once; ten seconds)');
    await archiveBroker(unfinished, signal).catch((error: unknown) => {
      signal.throwIfAborted();
      // Brokers start without it too, only slower.
      onLog(`the classes of Kafka cannot be kept ready: ${String(error)}`);
    });
  });
}

/** Lets a broker start and stop once; its JVM then writes down the classes that it took. */
async function archiveBroker(into: string, signal: AbortSignal): Promise<void> {
  const folder = join(into, 'broker');
  const [port = 0, controllerPort = 0] = await freePorts(2);
  const node = { id: 1, port, controllerPort };
  const layout = { clusterId: newClusterId(), nodes: [node] };
  await writeLayout(folder, layout, {});
  await format(folder, layout, signal);
  const nothing = () => undefined;
  const broker = new ServedNode(node, nodeFiles(folder, node.id), layout.clusterId, {
    heapMb: HEAP_MB,
    jvm: [archiveClasses(into)],
    signal,
    onLog: nothing,
    onChange: () => Promise.resolve(),
  });
  await broker.start();
  await broker.stop();
  await rm(folder, { recursive: true });
}
