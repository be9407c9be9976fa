import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Flavour } from './flavour.js';

/** The workspace's own files; as far from `src` as from `dist`. */
export const MIGRATIONS = fileURLToPath(new URL('../../../../migrations', import.meta.url));

/** The names of the migrations, in their order, by the folder they lie in. */
export interface MigrationNames {
  readonly common: readonly string[];
  readonly plain: readonly string[];
  readonly timescale: readonly string[];
}

export async function readMigrationNames(directory: string): Promise<MigrationNames> {
  const [common, plain, timescale] = await Promise.all([
    namesIn(join(directory, 'common')),
    namesIn(join(directory, 'plain')),
    namesIn(join(directory, 'timescale')),
  ]);
  return { common, plain, timescale };
}

/** What a database of the flavour needs. The numbers of all folders are one series, so names sort in their order. */
export function migrationsOf(flavour: Flavour, names: MigrationNames): readonly string[] {
  return [...names.common, ...names[flavour]].sort();
}

/** Patterns that match the files of the flavour, and only those. */
export function filePatterns(flavour: Flavour, directory: string): string[] {
  return ['common', flavour].map((folder) => join(literal(directory), folder, '*.sql'));
}

async function namesIn(folder: string): Promise<string[]> {
  const files = await readdir(folder).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  });
  return files.filter((file) => file.endsWith('.sql')).map((file) => file.slice(0, -'.sql'.length));
}

/** The path as a pattern that matches only itself: a clone may lie in a folder named `[old]`. */
function literal(path: string): string {
  return path.replaceAll(/[?*()[\]{}!+@]/g, '[$&]');
}
