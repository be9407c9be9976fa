import { rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { FolderClaim } from '../folder-claim.js';
import { stopInDocker } from './docker.js';
import { stopKept } from './keep.js';
import { PARTS } from './parts.js';
import { readStates, removeState, stackFolder, writeEnvironment, type StackFolder } from './state.js';

/** Stops what `up` started, by process id and start time, and nothing else. */
export async function down(
  dir: string,
  wipe: boolean,
  signal: AbortSignal,
  note: (line: string) => void,
): Promise<void> {
  const folder = stackFolder(dir);
  const claim = await FolderClaim.take(folder.path, signal);
  try {
    const states = await readStates(folder);
    if (states.length === 0) note(`nothing was started in ${folder.path}`);
    const contained = states.filter(({ mode }) => mode === 'docker').map(({ part }) => part);
    if (contained.length > 0) {
      await stopInDocker(folder, contained, wipe, signal);
      await Promise.all(contained.map((part) => removeState(folder, part)));
      note(`${contained.join(', ')} stopped`);
    }
    const native = states.filter(({ mode }) => mode === 'native');
    await Promise.all(
      native.map(async (state) => {
        await stopKept(folder, state, signal);
        note(`${state.part} stopped`);
      }),
    );
    await writeEnvironment(folder);
    if (wipe) await removeOwn(folder);
  } finally {
    await claim.release();
  }
  if (wipe) await rmdir(folder.path).catch(() => undefined);
}

/** Only what the stack has put there: the folder may be one that holds other things too. */
async function removeOwn(folder: StackFolder): Promise<void> {
  const own = [...PARTS, 'logs', 'state', 'docker-secret'];
  await Promise.all(own.map((name) => rm(join(folder.path, name), { recursive: true, force: true })));
}
