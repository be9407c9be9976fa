import { spawnSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { MarketDataError } from '@aipx/market-model';

export const LOCK_FILE = 'lock';
const PROGRAM_TIME_MS = 10_000;
/** What `flock` ends with when somebody else has the lock. */
const HELD = 1;

export interface FolderClaim {
  release(): void;
}

/**
 * Claims the folder with the kernel's lock on a file in it. Node.js has no call for that, so the program `flock` takes
 * it on our descriptor: the lock belongs to the open file, which we keep, and so ends with this process however it ends.
 * It also holds between containers that share a volume, where process ids and sockets of the other are out of sight.
 * The file is never deleted: another one of the same name would be another lock.
 *
 * @throws {MarketDataError} `CONFIG_DATA_DIR_IN_USE` while another queue has it, `CONFIG_INVALID` without `flock`
 */
export function claimFolder(folder: string): FolderClaim {
  const path = join(folder, LOCK_FILE);
  const descriptor = openSync(path, 'a');
  try {
    const { status, error, stderr } = spawnSync('flock', ['-n', '-x', '3'], {
      stdio: ['ignore', 'ignore', 'pipe', descriptor],
      timeout: PROGRAM_TIME_MS,
      encoding: 'utf8',
    });
    if (error !== undefined) throw notLocked(path, error.message, error);
    if (status === HELD) throw inUse(folder);
    if (status !== 0) throw notLocked(path, stderr.trim() || `it ended with ${status ?? 'a signal'}`);
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
  return { release: () => closeSync(descriptor) };
}

function inUse(folder: string): MarketDataError {
  return new MarketDataError(
    'CONFIG_DATA_DIR_IN_USE',
    `SPILL_DIR ${folder} is in use by another process; stop that one, or give each its own folder`,
    { context: { folder } },
  );
}

function notLocked(path: string, why: string, cause?: unknown): MarketDataError {
  return new MarketDataError(
    'CONFIG_INVALID',
    `${path} cannot be locked: the program flock (of util-linux or BusyBox) is needed for it, and says: ${why}`,
    { cause, context: { path } },
  );
}
