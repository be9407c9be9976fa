import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fetchOnce } from '../fetch-once.js';
import { findProgram, run } from '../programs.js';
import { cacheFolder } from '../workspace.js';

/** How Redis is started here. */
export interface RedisProgram {
  readonly program: string;
  readonly env: Readonly<Record<string, string>>;
}

const UNPACKED = cacheFolder('redis');
const ENVIRONMENT = { LC_ALL: 'C', PATH: '/usr/bin:/bin' };

/** Why Redis cannot run here and how to get it; `undefined` when it can. */
export function redisUnavailable(): string | undefined {
  if (findProgram('redis-server') !== undefined || existsSync(UNPACKED)) return undefined;
  if (findProgram('apt-get') !== undefined && findProgram('dpkg') !== undefined) return undefined;
  return (
    'Redis needs redis-server on the PATH, and this is no Debian or Ubuntu whose package could be unpacked; ' +
    'install it (macOS: brew install redis; Fedora: dnf install redis)'
  );
}

/** Makes sure of a Redis: the one on the `PATH`, else the distribution's package, unpacked and not installed. */
export async function fetchRedis(signal: AbortSignal, onLog: (line: string) => void): Promise<RedisProgram> {
  const installed = findProgram('redis-server');
  if (installed !== undefined) return { program: installed, env: ENVIRONMENT };
  await fetchOnce(UNPACKED, signal, async (unfinished) => {
    onLog("unpacking Redis from the distribution's package (once; 2 MB)");
    await unpackRedis(unfinished, signal);
  });
  const libraries = join(UNPACKED, 'usr', 'lib');
  // Debian keeps libraries in a folder named after the machine: x86_64-linux-gnu.
  const folders = (await readdir(libraries))
    .filter((name) => name.includes('-linux-'))
    .map((name) => join(libraries, name));
  return {
    program: join(UNPACKED, 'usr', 'bin', 'redis-server'),
    env: { ...ENVIRONMENT, LD_LIBRARY_PATH: folders.join(':') },
  };
}

async function unpackRedis(into: string, signal: AbortSignal): Promise<void> {
  const work = await mkdtemp(join(tmpdir(), 'aipx-redis-'));
  try {
    const packages = await downloadPackages(work, [], signal).catch(async () => {
      signal.throwIfAborted();
      // No lists of packages, or old ones: new lists in a folder of ours need no rights and change nothing.
      const lists = join(work, 'lists');
      await mkdir(join(lists, 'partial'), { recursive: true });
      const ownLists = ['-o', `Dir::State::Lists=${lists}`, '-o', `Dir::Cache=${work}`];
      await run('apt-get', [...ownLists, '-qq', 'update'], { cwd: work, signal });
      return await downloadPackages(work, ownLists, signal);
    });
    for (const archive of packages) await run('dpkg', ['-x', archive, into], { signal });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Downloads the server and those libraries of it that this machine lacks. Returns the files. */
async function downloadPackages(
  into: string,
  options: readonly string[],
  signal: AbortSignal,
): Promise<readonly string[]> {
  const plan = ['install', '--simulate', '--no-install-recommends', '-qq', 'redis-server'];
  const lines = (await run('apt-get', [...options, ...plan], { signal })).split('\n');
  const lacking = lines.flatMap((line) => /^Inst (lib\S+)/.exec(line)?.[1] ?? []);
  // The C library belongs to the system and its loader.
  const libraries = lacking.filter((name) => name !== 'libc6');
  const names = ['redis-server', 'redis-tools', ...libraries];
  await run('apt-get', [...options, '-o', 'APT::Sandbox::User=root', '-qq', 'download', ...names], {
    cwd: into,
    signal,
  });
  return (await readdir(into)).filter((name) => name.endsWith('.deb')).map((name) => join(into, name));
}
