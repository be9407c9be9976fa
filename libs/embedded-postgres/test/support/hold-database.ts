/**
 * A process that runs an embedded PostgreSQL until it is killed, and tells its parent where it is.
 *
 * Arguments: the data folder, and `thread` to start the server from a worker thread: then the kernel does not end it
 * together with this process, as on systems that cannot.
 */
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { startEmbeddedPostgres } from '../../src/start.js';

const [, , dataDir = '', place] = process.argv;

if (isMainThread && place === 'thread') {
  const worker = new Worker(new URL(import.meta.url), { argv: process.argv.slice(2) });
  worker.on('message', (message) => process.send?.(message));
} else {
  const tell = (message: unknown) => (isMainThread ? process.send?.(message) : parentPort?.postMessage(message));
  process.on('SIGINT', () => tell('interrupted'));
  try {
    const { url, pid } = await startEmbeddedPostgres({ dataDir, signal: new AbortController().signal });
    tell({ url, pid });
  } catch (error) {
    tell({ error });
  }
  setInterval(() => undefined, 60_000);
}
