import { access, constants, readFile, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { isMainThread } from 'node:worker_threads';
import { MarketDataError } from '@aipx/market-model';

/** How the programs of PostgreSQL are started: it refuses to run as root, so root hands it to somebody else. */
export interface RunAs {
  /** Whom the data folder must belong to; `undefined` for whoever runs this process. */
  readonly owner: Account | undefined;
  /** The words before the program's own; none where no helper program is needed. */
  readonly prefix: readonly string[];
  /** The account for `spawn`, where no helper program changes it. */
  readonly spawnAs: Partial<Account>;
}

export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** Accounts without rights of their own that systems have anyway. Users are never created. */
const UNPRIVILEGED = ['postgres', 'nobody'];
/** The place is fixed, so that nobody's `PATH` decides what root runs. */
const SETPRIV_PLACES = ['/usr/bin/setpriv', '/bin/setpriv', '/usr/sbin/setpriv', '/usr/local/bin/setpriv'];
/** Linux's numbers of the capabilities that let a process pass folders it has no right to enter, the weaker first. */
const PASSING_CAPABILITIES = [
  { name: 'dac_read_search', bit: 2n },
  { name: 'dac_override', bit: 1n },
];

/**
 * Decides under which account PostgreSQL runs, and asks the kernel to end it when this process dies.
 *
 * @param paths what it must reach: the data folder and the programs
 * @param previousOwner who owns the cluster that already lies in the data folder, if there is one
 * @throws {MarketDataError} `STORE_UNAVAILABLE` when root has nobody to hand it to
 */
export async function chooseRunAs(paths: readonly string[], previousOwner: Account | undefined): Promise<RunAs> {
  const setpriv = process.platform === 'linux' ? await firstExecutable(SETPRIV_PLACES) : undefined;
  // The kernel sends it when the thread that started the server ends; in a worker that would be too early.
  const deathSignal = isMainThread ? ['--pdeathsig=INT'] : [];
  if (process.getuid?.() !== 0) {
    return { owner: undefined, prefix: setpriv && isMainThread ? [setpriv, ...deathSignal] : [], spawnAs: {} };
  }
  const owner = previousOwner !== undefined && previousOwner.uid !== 0 ? previousOwner : await unprivilegedAccount();
  const pass = (await mayPass(owner, paths)) ? [] : await passingWords();
  if (setpriv === undefined) {
    if (pass === undefined || pass.length > 0) throw cannotPass(paths, owner);
    return { owner, prefix: [], spawnAs: owner };
  }
  if (pass === undefined) throw cannotPass(paths, owner);
  const account = [`--reuid=${owner.uid}`, `--regid=${owner.gid}`, '--clear-groups'];
  return { owner, prefix: [setpriv, ...deathSignal, ...account, ...pass], spawnAs: {} };
}

async function unprivilegedAccount(): Promise<Account> {
  const accounts = await readFile('/etc/passwd', 'utf8').catch(() => '');
  const fields = accounts.split('\n').map((line) => line.split(':'));
  for (const name of UNPRIVILEGED) {
    const [, , uid, gid] = fields.find(([user]) => user === name) ?? [];
    if (Number(uid) > 0) return { uid: Number(uid), gid: Number(gid) };
  }
  throw new MarketDataError(
    'STORE_UNAVAILABLE',
    `PostgreSQL does not run as root, and this system has no user ${UNPRIVILEGED.join(' or ')} to run it as; ` +
      'start this program as another user',
  );
}

/** Whether the account can enter every folder above the paths by its own rights. */
async function mayPass(account: Account, paths: readonly string[]): Promise<boolean> {
  const folders = new Set<string>();
  for (const path of paths) {
    for (let folder = dirname(resolve(path)); !folders.has(folder); folder = dirname(folder)) folders.add(folder);
  }
  const stats = await Promise.all([...folders].map((folder) => stat(folder)));
  return stats.every(({ mode, uid, gid }) => {
    const bit = uid === account.uid ? 0o100 : gid === account.gid ? 0o010 : 0o001;
    return (mode & bit) !== 0;
  });
}

/**
 * Hands on the weakest capability that opens folders, out of those this process has: containers often lack the first.
 * PostgreSQL checks its files with access(2), which ignores the capabilities of anybody but root unless the secure
 * bit is set.
 */
async function passingWords(): Promise<readonly string[] | undefined> {
  const status = await readFile('/proc/self/status', 'utf8').catch(() => '');
  const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`);
  const capability = PASSING_CAPABILITIES.find(({ bit }) => (effective >> bit) & 1n)?.name;
  if (capability === undefined) return undefined;
  return [`--inh-caps=-all,+${capability}`, `--ambient-caps=-all,+${capability}`, '--securebits=+no_setuid_fixup'];
}

async function firstExecutable(places: readonly string[]): Promise<string | undefined> {
  for (const place of places) {
    const usable = await access(place, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (usable) return place;
  }
  return undefined;
}

function cannotPass(paths: readonly string[], owner: Account): MarketDataError {
  return new MarketDataError(
    'STORE_UNAVAILABLE',
    `PostgreSQL does not run as root, and user ${owner.uid}, as whom it would run, may not enter the folders above ` +
      `${paths.join(' or ')}; give --data-dir a folder that others may enter, or start this program as another user`,
  );
}
