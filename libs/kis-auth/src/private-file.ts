import { open, type FileHandle } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { MarketDataError } from '@aipx/market-model';

const PRIVATE = 0o600;

/**
 * Opens a file for reading that only its owner may read, and hands it to `use`.
 *
 * @param setting the setting that named it, for messages
 * @throws {MarketDataError} `CONFIG_ACCOUNT` for one that is missing, no plain file, or open to others
 */
export async function usePrivateFile<T>(
  path: string,
  setting: string,
  use: (file: FileHandle) => Promise<T>,
): Promise<T> {
  const file = await open(path, 'r').catch((cause: unknown) => {
    throw new MarketDataError('CONFIG_ACCOUNT', `${setting}: ${path} cannot be opened for reading`, {
      context: { setting, path },
      cause,
    });
  });
  try {
    const stat = await file.stat();
    if (!stat.isFile()) throw refusal(path, setting, 'is not a plain file');
    const mode = stat.mode & 0o777;
    if (mode !== PRIVATE) {
      const shown = mode.toString(8).padStart(3, '0');
      throw refusal(path, setting, `has mode ${shown}; it holds secrets and must have 600 (chmod 600 ${path})`);
    }
    return await use(file);
  } finally {
    await file.close();
  }
}

/** Makes the file with mode 600 if it is missing. An existing one is left as it is. */
export async function makePrivateFile(path: string, setting: string): Promise<void> {
  try {
    const file = await open(path, 'wx', PRIVATE);
    await file.close();
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return;
    throw new MarketDataError('CONFIG_ACCOUNT', `${setting}: ${path} cannot be made`, {
      context: { setting, path },
      cause,
    });
  }
}

/** In a container the user may have a number only, of which the system's list of users knows nothing. */
export function ownUserId(): number {
  return process.getuid?.() ?? userInfo().uid;
}

function refusal(path: string, setting: string, fault: string): MarketDataError {
  return new MarketDataError('CONFIG_ACCOUNT', `${setting}: ${path} ${fault}`, { context: { setting, path } });
}
