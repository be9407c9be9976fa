import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { MarketDataError } from '@aipx/market-model';

/**
 * The text of a file that a setting names.
 *
 * @param folder where a relative path begins
 * @throws {MarketDataError} `CONFIG_INVALID` with the setting, the file and the reason
 */
export async function settingFile(env: string, file: string, folder = '.'): Promise<string> {
  try {
    return await readFile(resolve(folder, file), 'utf8');
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new MarketDataError('CONFIG_INVALID', `${env}: ${file} cannot be read: ${why}`, { cause });
  }
}
