import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { askForCluster } from '../../src/kafka/answers.js';
import { startKafka, startRedis } from '../../src/index.js';

// Starts a server, says which, and holds it until it is killed.

interface Task {
  readonly server: string;
  readonly folder: string;
}

const [, , server = '', thread = '', folder = ''] = process.argv;

if (!isMainThread) {
  parentPort?.postMessage(await start(workerData as Task));
} else if (thread === 'worker') {
  const worker = new Worker(new URL(import.meta.url), { workerData: { server, folder } satisfies Task });
  worker.on('message', (told) => process.send?.(told));
} else {
  process.send?.(await start({ server, folder }));
}
setInterval(() => undefined, 2 ** 30);

async function start(task: Task): Promise<{ readonly pid: number; readonly identity: string }> {
  const { signal } = new AbortController();
  if (task.server === 'redis') {
    const redis = await startRedis({ folder: task.folder, signal });
    return { pid: redis.pid ?? 0, identity: String(redis.port) };
  }
  const kafka = await startKafka({ folder: task.folder, signal });
  const port = Number(kafka.brokers[0]?.split(':')[1]);
  const { clusterId } = await askForCluster(port, signal);
  return { pid: kafka.nodes[0]?.pid ?? 0, identity: clusterId ?? '' };
}
