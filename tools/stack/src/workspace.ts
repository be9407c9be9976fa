import { join } from 'node:path';

/** The folder of this package, in the sources and in the build alike. */
export const packageFolder = join(import.meta.dirname, '..');

/** What is fetched or built once lies here, and goes away with `node_modules`. */
export function cacheFolder(name: string): string {
  return join(packageFolder, '..', '..', 'node_modules', '.cache', 'aipx', name);
}
