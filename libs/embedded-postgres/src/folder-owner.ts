import { randomBytes } from 'node:crypto';
import { link, readFile, rm, writeFile } from 'node:fs/promises';
import { MarketDataError } from '@aipx/market-model';
import type { DataFolder } from './data-folder.js';
import { isAlive, startMark } from './process-table.js';

export interface FolderClaim {
  /** Gives the folder free. A claim that is not this one is left alone. */
  release(): Promise<void>;
}

/**
 * Claims the folder for this process, so that its server is never taken for an orphan and stopped by another one.
 * The claim of a process that died is void. A claim appears complete or not at all: it is linked into its place.
 *
 * @throws {MarketDataError} `CONFIG_DATA_DIR_IN_USE` while the process that claimed it lives, or nobody can tell
 */
export async function claimFolder(folder: DataFolder): Promise<FolderClaim> {
  const { ownerFile } = folder;
  const id = randomBytes(6).toString('hex');
  const claim = `${process.pid} ${(await startMark(process.pid)) ?? ''}\n${id}\n`;
  const draft = `${ownerFile}.${id}`;
  await writeFile(draft, claim, { flag: 'wx', mode: 0o600 });
  try {
    while (!(await isLinked(draft, ownerFile))) {
      const found = await readClaim(folder, ownerFile);
      if (found === undefined) continue;
      const holder = await livingHolder(found);
      if (holder !== undefined) throw inUse(folder, `is in use by process ${holder}; stop that one`);
      await takeAway(folder, found, draft);
    }
  } finally {
    await rm(draft, { force: true });
  }
  return {
    release: async () => {
      if ((await readClaim(folder, ownerFile)) === claim) await rm(ownerFile, { force: true });
    },
  };
}

/** Puts a claim into its place, unless there is one. */
async function isLinked(draft: string, place: string): Promise<boolean> {
  try {
    await link(draft, place);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/** The claim as it is written; `undefined` when there is none. */
async function readClaim(folder: DataFolder, place: string): Promise<string | undefined> {
  try {
    return await readFile(place, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw inUse(
      folder,
      `is claimed in ${place}, which cannot be read (${codeOf(error) ?? String(error)}); remove it when nothing runs there`,
    );
  }
}

/** Takes a void claim out of its place. One start at a time, so that none takes the claim of another. */
async function takeAway(folder: DataFolder, voidClaim: string, draft: string): Promise<void> {
  const turn = `${folder.ownerFile}.turn`;
  if (await isLinked(draft, turn)) {
    try {
      if ((await readClaim(folder, folder.ownerFile)) === voidClaim) await rm(folder.ownerFile);
    } finally {
      await rm(turn, { force: true });
    }
    return;
  }
  const other = await readClaim(folder, turn);
  if (other !== undefined && (await livingHolder(other)) === undefined) await rm(turn, { force: true });
}

async function livingHolder(claim: string): Promise<number | undefined> {
  const [id, ...mark] = (claim.split('\n')[0] ?? '').trim().split(' ');
  const pid = Number(id);
  if (!Number.isInteger(pid) || pid <= 0 || !isAlive(pid)) return undefined;
  // The id may belong to another process by now; one that started at another time is another one.
  return ((await startMark(pid)) ?? '') === mark.join(' ') ? pid : undefined;
}

function inUse(folder: DataFolder, how: string): MarketDataError {
  return new MarketDataError(
    'CONFIG_DATA_DIR_IN_USE',
    `the database in ${folder.path} ${how}, or give another --data-dir`,
  );
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}
