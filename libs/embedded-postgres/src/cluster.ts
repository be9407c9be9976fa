import { MarketDataError } from '@aipx/market-model';
import type { PostgresBinaries } from './binaries.js';
import { completeCluster, createPassword, prepareUnfinishedCluster, type DataFolder } from './data-folder.js';
import type { RunAs } from './run-as.js';
import { PostgresProcess } from './server-process.js';

/**
 * Makes a new cluster in the data folder. It appears there complete or not at all: one that a kill left half made is
 * thrown away by the next start.
 *
 * @throws {MarketDataError} `STORE_UNAVAILABLE` with what `initdb` wrote
 */
export async function createCluster(
  folder: DataFolder,
  binaries: PostgresBinaries,
  runAs: RunAs,
  user: string,
  signal: AbortSignal,
  onLog: (line: string) => void,
): Promise<void> {
  await prepareUnfinishedCluster(folder, runAs.owner);
  await createPassword(folder, runAs.owner);
  signal.throwIfAborted();
  const initdb = new PostgresProcess(
    binaries.initdb,
    [
      `--pgdata=${folder.unfinishedCluster}`,
      `--username=${user}`,
      '--auth=scram-sha-256',
      `--pwfile=${folder.passwordFile}`,
      '--encoding=UTF8',
      '--locale=C',
      '--no-instructions',
      '--set=timezone=UTC',
      '--set=log_timezone=UTC',
    ],
    runAs,
    onLog,
  );
  const stop = () => void initdb.stop();
  signal.addEventListener('abort', stop, { once: true });
  await initdb.ended;
  signal.removeEventListener('abort', stop);
  signal.throwIfAborted();
  if (initdb.exitCode !== 0) {
    throw new MarketDataError('STORE_UNAVAILABLE', `no database could be made in ${folder.path}: ${initdb.tail}`);
  }
  await completeCluster(folder);
}
