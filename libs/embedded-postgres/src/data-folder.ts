import { randomBytes } from 'node:crypto';
import { chmod, chown, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { MarketDataError } from '@aipx/market-model';
import type { Account } from './run-as.js';

/** What lies in the data folder of an embedded PostgreSQL. */
export interface DataFolder {
  readonly path: string;
  /** PostgreSQL's own folder, complete or absent. */
  readonly cluster: string;
  /**
   * Where this start makes a new cluster; moved to `cluster` when it is complete, so one that is found here is not.
   * No two starts share the place: the `initdb` of one that was killed may still be emptying its own.
   */
  readonly unfinishedCluster: string;
  readonly passwordFile: string;
  /** Names the process whose server runs in here. */
  readonly ownerFile: string;
}

const UNFINISHED = 'cluster.unfinished';

export function dataFolderAt(path: string): DataFolder {
  const folder = resolve(path);
  return {
    path: folder,
    cluster: join(folder, 'cluster'),
    unfinishedCluster: join(folder, `${UNFINISHED}-${randomBytes(6).toString('hex')}`),
    passwordFile: join(folder, 'password'),
    ownerFile: join(folder, 'owner'),
  };
}

/**
 * Makes the folder if it is missing and proves that it can be written.
 *
 * @throws {MarketDataError} `STORE_UNAVAILABLE`, naming the folder and what is wrong with it
 */
export async function prepareFolder(folder: DataFolder): Promise<void> {
  const probe = join(folder.path, `.probe-${process.pid}`);
  try {
    await mkdir(folder.path, { recursive: true });
    await writeFile(probe, '');
    await rm(probe);
  } catch (cause) {
    throw new MarketDataError(
      'STORE_UNAVAILABLE',
      `the database folder ${folder.path} cannot be written (${reason(cause)}); give --data-dir a folder that can`,
      { cause },
    );
  }
}

/** Who owns the cluster; `undefined` while there is none. */
export async function clusterOwner(folder: DataFolder): Promise<Account | undefined> {
  const { uid, gid } = (await stat(folder.cluster).catch(() => undefined)) ?? {};
  return uid === undefined || gid === undefined ? undefined : { uid, gid };
}

/**
 * Whether there is a cluster that these binaries can run.
 *
 * @throws {MarketDataError} `STORE_UNAVAILABLE` for a cluster of another major version or of another user
 */
export async function hasCluster(folder: DataFolder, majorVersion: string): Promise<boolean> {
  const owner = await clusterOwner(folder);
  if (owner === undefined) return false;
  const user = process.getuid?.();
  if (user !== undefined && user !== 0 && owner.uid !== user) {
    throw new MarketDataError(
      'STORE_UNAVAILABLE',
      `the database in ${folder.path} belongs to user ${owner.uid}, and this program runs as user ${user}; ` +
        'run it as that user or as root, or give another --data-dir',
    );
  }
  const version = await readFile(join(folder.cluster, 'PG_VERSION'), 'utf8').then(
    (text) => text.trim(),
    (cause: unknown) => `unknown (${reason(cause)})`,
  );
  if (version === majorVersion) return true;
  throw new MarketDataError(
    'STORE_UNAVAILABLE',
    `the database in ${folder.path} was made by PostgreSQL ${version}, and this program brings ${majorVersion}; ` +
      `give another --data-dir, or dump it with PostgreSQL ${version} and load it into a new one`,
  );
}

/** Makes the place for a new cluster, and takes away what starts that were killed have left of theirs. */
export async function prepareUnfinishedCluster(folder: DataFolder, owner: Account | undefined): Promise<void> {
  const left = (await readdir(folder.path)).filter((name) => name.startsWith(UNFINISHED));
  // Where an `initdb` is at work still, the next new cluster finds the rest.
  await Promise.allSettled(left.map((name) => rm(join(folder.path, name), { recursive: true, force: true })));
  await mkdir(folder.unfinishedCluster, { mode: 0o700 });
  if (owner !== undefined) await chown(folder.unfinishedCluster, owner.uid, owner.gid);
}

export async function completeCluster(folder: DataFolder): Promise<void> {
  await rename(folder.unfinishedCluster, folder.cluster);
}

/** Makes the password of a new cluster: readable by its owner only, and by root. */
export async function createPassword(folder: DataFolder, owner: Account | undefined): Promise<string> {
  const password = randomBytes(24).toString('base64url');
  await rm(folder.passwordFile, { force: true });
  await writeFile(folder.passwordFile, `${password}\n`, { mode: 0o600, flag: 'wx' });
  await chmod(folder.passwordFile, 0o600);
  if (owner !== undefined) await chown(folder.passwordFile, owner.uid, owner.gid);
  return password;
}

/** @throws {MarketDataError} `STORE_DAMAGED` when the cluster's password is gone */
export async function readPassword(folder: DataFolder): Promise<string> {
  try {
    return (await readFile(folder.passwordFile, 'utf8')).trim();
  } catch (cause) {
    throw new MarketDataError(
      'STORE_DAMAGED',
      `the password of the database in ${folder.path} cannot be read from ${folder.passwordFile} (${reason(cause)}); ` +
        'put the file back, or give another --data-dir',
      { cause },
    );
  }
}

function reason(cause: unknown): string {
  return (cause as NodeJS.ErrnoException).code ?? String(cause);
}
