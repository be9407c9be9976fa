import { MarketDataError } from '@aipx/market-model';
import { Client } from 'pg';
import type { DatabaseAddress } from './database-address.js';
import { databaseUrl } from './database-address.js';
import { findBinaries } from './binaries.js';
import { createCluster } from './cluster.js';
import { clusterOwner, dataFolderAt, hasCluster, prepareFolder, readPassword, type DataFolder } from './data-folder.js';
import { claimFolder, type FolderClaim } from './folder-owner.js';
import { clearOrphan } from './orphan.js';
import { chooseRunAs } from './run-as.js';
import { HOST, startServer, type RunningServer } from './server.js';

export interface EmbeddedPostgresOptions {
  /** Holds everything of the server; made if it is missing. */
  readonly dataDir: string;
  /** 0 for any that is free. @default 0 */
  readonly port?: number;
  /** Made if it is missing. @default 'aipx_timeseries' */
  readonly database?: string;
  /** The superuser of a new cluster. @default 'aipx' */
  readonly user?: string;
  /** Ends the start; a server that runs is ended by `stop()`. */
  readonly signal: AbortSignal;
  /** Called with each line of PostgreSQL's own log. */
  readonly onLog?: (line: string) => void;
}

export interface EmbeddedPostgres extends DatabaseAddress {
  /** For any PostgreSQL client, password included. */
  readonly url: string;
  readonly pid: number;
  /** Resolves when the server has ended: with `undefined` after `stop()`, else with what it wrote last. Never rejects. */
  readonly ended: Promise<MarketDataError | undefined>;
  /** Ends the server after a checkpoint. Resolves when it is gone. */
  stop(): Promise<void>;
}

/**
 * Starts a PostgreSQL server of its own for a data folder, on 127.0.0.1 only. A server that a killed process left there
 * is stopped first; a crash is recovered from; a first start that was killed is begun anew.
 *
 * @throws {MarketDataError} `CONFIG_DATA_DIR_IN_USE` while another process runs a server there, `STORE_UNAVAILABLE`
 * and `STORE_DAMAGED` with a sentence that says what to do
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  options.signal.throwIfAborted();
  const folder = dataFolderAt(options.dataDir);
  await prepareFolder(folder);
  const claim = await claimFolder(folder);
  try {
    return await startClaimed(folder, claim, options);
  } catch (cause) {
    await claim.release();
    options.signal.throwIfAborted();
    if (cause instanceof MarketDataError) throw cause;
    throw new MarketDataError(
      'STORE_UNAVAILABLE',
      `the database in ${folder.path} cannot be started (${String(cause)}); give another --data-dir, or run this ` +
        'program as another user',
      { cause },
    );
  }
}

async function startClaimed(
  folder: DataFolder,
  claim: FolderClaim,
  options: EmbeddedPostgresOptions,
): Promise<EmbeddedPostgres> {
  const { port = 0, database = 'aipx_timeseries', user = 'aipx', signal, onLog = () => undefined } = options;
  const binaries = await findBinaries();
  const exists = await hasCluster(folder, binaries.majorVersion);
  const runAs = await chooseRunAs([folder.cluster, binaries.postgres], await clusterOwner(folder));
  if (!exists) await createCluster(folder, binaries, runAs, user, signal, onLog);
  await clearOrphan(folder.cluster, signal);
  const password = await readPassword(folder);
  const server = await startServer(binaries, folder.cluster, runAs, port, signal, onLog);
  const address = { host: HOST, port: server.port, user, password, database };
  try {
    await createDatabase(address);
  } catch (error) {
    await server.process.stop();
    throw error;
  }
  return handle(folder, claim, server, address);
}

function handle(
  folder: DataFolder,
  claim: FolderClaim,
  server: RunningServer,
  address: DatabaseAddress,
): EmbeddedPostgres {
  let stopping = false;
  // An application that forgets `stop()` may still end; the kernel, or the next start, then ends the server.
  server.process.unref();
  return {
    ...address,
    url: databaseUrl(address),
    pid: server.process.pid,
    ended: server.process.ended.then(() =>
      stopping
        ? undefined
        : new MarketDataError(
            'STORE_UNAVAILABLE',
            `the database in ${folder.path} ended by itself; run the same command again, nothing is lost. ` +
              `It wrote last:\n${server.process.tail}`,
          ),
    ),
    stop: async () => {
      stopping = true;
      await server.process.stop();
      await claim.release();
    },
  };
}

async function createDatabase(address: DatabaseAddress): Promise<void> {
  const client = new Client({ ...address, database: 'postgres' });
  await client.connect();
  try {
    const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [address.database]);
    if (rowCount === 0) await client.query(`CREATE DATABASE ${client.escapeIdentifier(address.database)}`);
  } finally {
    await client.end();
  }
}
