import { accessSync, constants, existsSync, mkdirSync, opendirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { MarketDataError } from '@aipx/market-model';

/** Where everything of a run lies; the folder can be moved or deleted as a whole. */
export interface DataFolder {
  readonly path: string;
  readonly log: string;
  readonly postgres: string;
  readonly lake: string;
  readonly journals: string;
}

/**
 * Makes the folder and shows that it can be written to.
 *
 * @throws {MarketDataError} `CONFIG_INVALID`, naming the folder and what the system said
 */
export function openDataFolder(raw: string, base: string): DataFolder {
  const path = resolve(base, raw);
  try {
    makeFolder(path);
    opendirSync(path).closeSync(); // ENOTDIR for a file, which the check below could let pass
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? String(cause);
    throw new MarketDataError(
      'CONFIG_INVALID',
      `--data-dir ${path}: ${REASONS[code] ?? code}; give a folder that you may write to`,
      { cause },
    );
  }
  return {
    path,
    log: join(path, 'event-log.sqlite'),
    postgres: join(path, 'postgres'),
    lake: join(path, 'lake'),
    journals: join(path, 'simulator'),
  };
}

/** Not mkdir's own `recursive`: below a folder that takes no new ones, such as /proc, Node.js never comes back from it. */
function makeFolder(path: string): void {
  if (existsSync(path)) return;
  makeFolder(dirname(path));
  mkdirSync(path);
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no folder can be made there (ENOENT)',
  EACCES: 'no permission to write there (EACCES)',
  EPERM: 'no permission to write there (EPERM)',
  EROFS: 'the file system is read-only (EROFS)',
  ENOSPC: 'the disk is full (ENOSPC)',
  ENOTDIR: 'a part of that path is a file, not a folder (ENOTDIR)',
};
