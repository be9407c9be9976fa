import { existsSync } from 'node:fs';
import { chmod, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { MarketDataError } from '@aipx/market-model';
import { FolderClaim } from './folder-claim.js';

const LOOK_EVERY_MS = 200;
const UNFINISHED = '.unfinished-';

/**
 * Fills a folder once, also when several processes ask for it at the same time: it appears complete or not at all.
 *
 * @param fill puts the content into the folder it is given
 */
export async function fetchOnce(
  folder: string,
  signal: AbortSignal,
  fill: (unfinished: string) => Promise<void>,
): Promise<void> {
  while (!existsSync(folder)) {
    const turn = await takeTurn(`${folder}.turn`, signal);
    if (turn === undefined) {
      await sleep(LOOK_EVERY_MS, undefined, { signal });
      continue;
    }
    try {
      if (!existsSync(folder)) await fillAndMove(folder, fill);
    } finally {
      await turn.release();
    }
  }
}

/** `undefined` while another process, or another call in this one, has the turn. */
async function takeTurn(place: string, signal: AbortSignal): Promise<FolderClaim | undefined> {
  try {
    return await FolderClaim.take(place, signal);
  } catch (error) {
    if (error instanceof MarketDataError && error.code === 'CONFIG_DATA_DIR_IN_USE') return undefined;
    throw error;
  }
}

async function fillAndMove(folder: string, fill: (unfinished: string) => Promise<void>): Promise<void> {
  await removeUnfinished(folder);
  const unfinished = await mkdtemp(`${folder}${UNFINISHED}`);
  try {
    await fill(unfinished);
    // Another user of the same checkout may use it too.
    await chmod(unfinished, 0o755);
    await rename(unfinished, folder);
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
}

/** Takes away what was being fetched when a process was killed; nobody else fetches now. */
async function removeUnfinished(folder: string): Promise<void> {
  const parent = dirname(folder);
  const left = (await readdir(parent)).filter((name) => name.startsWith(basename(folder) + UNFINISHED));
  await Promise.all(left.map((name) => rm(join(parent, name), { recursive: true, force: true })));
}
