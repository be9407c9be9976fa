import { lstat, mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MarketDataError } from '@aipx/market-model';
import type { Clock } from '../clock.js';
import { ownUserId } from '../private-file.js';
import { FileStore } from './file-store.js';
import { RedisStore, type RedisSettings } from './redis-store.js';
import type { SharedStore } from './shared-store.js';

export interface KisStoreSettings {
  /** `REDIS_HOST` and so on: shares among machines. */
  readonly redis?: RedisSettings | undefined;
  /** `KIS_TOKEN_FILE`: keeps tokens through restarts where there is no Redis, and shares them on this machine. */
  readonly tokenFile?: string | undefined;
  /** Where the machine's file of locks lies; private to the user. @default `aipx-kis-<user id>` in the system's folder of temporary files */
  readonly machineFolder?: string | undefined;
  readonly clock: Pick<Clock, 'now'>;
}

/**
 * Where what is kept. The machine's file holds locks, leases, attempts and the holidays, never a secret.
 *
 * |                    | credentials | locks, leases, attempts, holidays | taken first, and the holidays too |
 * | ------------------ | ----------- | --------------------------------- | --------------------------------- |
 * | Redis              | Redis       | Redis                             | machine's file                    |
 * | a token file       | that file   | that file                         |                                   |
 * | neither            | memory      | machine's file                    |                                   |
 */
export interface KisStores {
  readonly credentials: SharedStore;
  /** Holds locks, leases, attempts and the holidays. */
  readonly coordination: SharedStore;
  /** In order: whoever issues holds a lock in each. */
  readonly locks: readonly SharedStore[];
  /** Counts on this machine while `coordination` is away; absent where that is a file, which never is. */
  readonly machine?: SharedStore | undefined;
  close(): Promise<void>;
}

/** @throws {MarketDataError} `CONFIG_ACCOUNT` for a file or a folder that is open to others */
export async function openKisStores(settings: KisStoreSettings): Promise<KisStores> {
  const { redis, tokenFile, machineFolder, clock } = settings;
  if (redis !== undefined) {
    const machine = await openMachineFile(machineFolder, clock);
    const shared = new RedisStore(redis);
    return storesOf(shared, shared, [machine, shared], machine);
  }
  if (tokenFile !== undefined) {
    const file = await FileStore.open(tokenFile, 'KIS_TOKEN_FILE', clock);
    return storesOf(file, file, [file]);
  }
  const machine = await openMachineFile(machineFolder, clock);
  return storesOf(FileStore.inMemory(clock), machine, [machine]);
}

function storesOf(
  credentials: SharedStore,
  coordination: SharedStore,
  locks: readonly SharedStore[],
  machine?: SharedStore,
): KisStores {
  const all = new Set([credentials, coordination, ...locks]);
  return {
    credentials,
    coordination,
    locks,
    machine,
    close: async () => {
      await Promise.all([...all].map((store) => store.close()));
    },
  };
}

/**
 * The folder where processes of one user on one machine find each other, made if it is missing.
 *
 * @throws {MarketDataError} `CONFIG_ACCOUNT` for one that is open to others
 */
export async function openMachineFolder(folder?: string): Promise<string> {
  const uid = ownUserId();
  const place = folder ?? join(tmpdir(), `aipx-kis-${uid}`);
  await mkdir(place, { recursive: true, mode: 0o700 });
  const stat = await lstat(place);
  // Anybody may make folders among the temporary files, also of this name.
  if (!stat.isDirectory() || stat.uid !== uid || (stat.mode & 0o077) !== 0) {
    throw new MarketDataError(
      'CONFIG_ACCOUNT',
      `${place} keeps the locks of this machine and must be a folder of user ${uid} with mode 700; remove it or mend its mode`,
      { context: { path: place } },
    );
  }
  return place;
}

async function openMachineFile(folder: string | undefined, clock: Pick<Clock, 'now'>): Promise<FileStore> {
  return await FileStore.open(
    join(await openMachineFolder(folder), 'locks.sqlite'),
    'the machine’s file of locks',
    clock,
  );
}
