import { execFile } from 'node:child_process';
import { chmod, chown, readFile, stat, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { promisify } from 'node:util';
import { redisUnavailable } from '@aipx/stack';
import { describe, expect, it, onTestFinished } from 'vitest';
import { FileStore } from '../src/stores/file-store.js';
import { openKisStores } from '../src/stores/kis-stores.js';
import { tryLock } from '../src/stores/lock.js';
import type { SharedStore } from '../src/stores/shared-store.js';
import { systemClock } from '../src/index.js';
import { testFolder } from './support/folders.js';
import { connectedStore, testRedis } from './support/redis.js';

const LONG = 60_000;
const RESOLVE_SOURCES = join(import.meta.dirname, '../../../tools/testing/resolve-sources.mjs');

const KINDS: Readonly<Record<string, () => Promise<SharedStore>>> = {
  memory: () => Promise.resolve(FileStore.inMemory()),
  'a file': async () => FileStore.open(join(await testFolder(), 'store'), 'TEST'),
  ...(redisUnavailable() === undefined && { Redis: async () => connectedStore(await testRedis()) }),
};

describe.each(Object.entries(KINDS))('a store in %s', (_, open) => {
  async function openStore(): Promise<SharedStore> {
    const store = await open();
    onTestFinished(() => store.close());
    return store;
  }

  it('changes a name only from what is expected there', async () => {
    const store = await openStore();
    expect(await store.read('a')).toBeUndefined();
    expect(await store.swap('a', undefined, { value: '1', ttlMs: LONG })).toBe(true);
    expect(await store.swap('a', undefined, { value: '2', ttlMs: LONG })).toBe(false);
    expect(await store.swap('a', '2', { value: '3', ttlMs: LONG })).toBe(false);
    expect(await store.swap('a', '1', { value: '3', ttlMs: LONG })).toBe(true);
    expect(await store.read('a')).toBe('3');
    expect(await store.swap('a', '1', undefined)).toBe(false);
    expect(await store.swap('a', '3', undefined)).toBe(true);
    expect(await store.read('a')).toBeUndefined();
  });

  it('takes the same change twice, for an answer may be lost', async () => {
    const store = await openStore();
    const next = { value: '1', ttlMs: LONG };
    expect(await store.swap('a', undefined, next)).toBe(true);
    expect(await store.swap('a', undefined, next)).toBe(true);
    expect(await store.swap('a', '1', undefined)).toBe(true);
    expect(await store.swap('a', '1', undefined)).toBe(true);
  });

  it('keeps any text, an empty one too', async () => {
    const store = await openStore();
    for (const value of ['', '0', '한글 "\' \0 \n', 'x'.repeat(5_000)]) {
      expect(await store.swap('a', await store.read('a'), { value, ttlMs: LONG })).toBe(true);
      expect(await store.read('a')).toBe(value);
    }
  });

  it('gives a lock to one at a time', async () => {
    const store = await openStore();
    const [first, ...others] = await Promise.all([1, 2, 3].map(() => tryLock([store], 'lock', LONG)));
    expect(others).toEqual([undefined, undefined]);
    await first?.release();
    expect(await tryLock([store], 'lock', LONG)).toBeDefined();
  });
});

describe('a lock in two stores', () => {
  it('is had in both or in none', async () => {
    const [machine, shared] = [FileStore.inMemory(), FileStore.inMemory()];
    const other = await tryLock([shared], 'lock', LONG);
    expect(await tryLock([machine, shared], 'lock', LONG)).toBeUndefined();
    expect(await machine.read('lock')).toBeUndefined();
    await other?.release();
    expect(await tryLock([machine, shared], 'lock', LONG)).toBeDefined();
  });

  it('is given back in the first when the second is away', async () => {
    const [machine, shared] = [FileStore.inMemory(), FileStore.inMemory()];
    await shared.close();
    await expect(tryLock([machine, shared], 'lock', LONG)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect(await machine.read('lock')).toBeUndefined();
  });
});

describe('a store in a file', () => {
  it('is made with mode 600, forgets nothing, and lets values run out', async () => {
    const path = join(await testFolder(), 'store');
    let now = 1_000;
    const clock = { now: () => now };
    const store = await FileStore.open(path, 'TEST', clock);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    await store.swap('a', undefined, { value: '1', ttlMs: 500 });
    await store.close();
    await store.close();
    const again = await FileStore.open(path, 'TEST', clock);
    onTestFinished(() => again.close());
    now = 1_499;
    expect(await again.read('a')).toBe('1');
    now = 1_500;
    expect(await again.read('a')).toBeUndefined();
    expect(await again.swap('a', undefined, { value: '2', ttlMs: 500 })).toBe(true);
    expect(await again.ageMs()).toBe(Number.POSITIVE_INFINITY);
  });

  it('keeps nothing for longer than it was given when the clock is set back', async () => {
    let now = 3_600_000;
    const store = FileStore.inMemory({ now: () => now });
    onTestFinished(() => store.close());
    await store.swap('a', undefined, { value: '1', ttlMs: 500 });
    now = 0;
    expect(await store.read('a')).toBe('1');
    now = 499;
    expect(await store.read('a')).toBe('1');
    now = 500;
    expect(await store.read('a')).toBeUndefined();
  });

  it.skipIf(userInfo().uid !== 0)('is that of a user whom the system does not know by name', async () => {
    const folder = await testFolder();
    await chmod(folder, 0o777);
    const stores = join(import.meta.dirname, '../src/stores/kis-stores.ts');
    // Only then somebody else: nobody else may be able to read where this stands.
    const script = `const { openMachineFolder } = await import(${JSON.stringify(stores)});
      process.setgid(54_321);
      process.setuid(54_321);
      console.log(await openMachineFolder(${JSON.stringify(join(folder, 'machine'))}));`;
    const args = ['--conditions=@aipx/source', '--import', RESOLVE_SOURCES, '--input-type=module', '-e', script];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    expect(stdout.trim()).toBe(join(folder, 'machine'));
  });

  it.skipIf(userInfo().uid !== 0)('is refused when it belongs to another user, who could read it', async () => {
    const path = join(await testFolder(), 'store');
    await writeFile(path, '', { mode: 0o600 });
    await chown(path, 4_242, 4_242);
    await expect(FileStore.open(path, 'KIS_TOKEN_FILE')).rejects.toThrow('belongs to user 4242');
  });

  it('is refused when others may read it, and when it is somebody’s else', async () => {
    const path = join(await testFolder(), 'store');
    await writeFile(path, 'my notes on this and that', { mode: 0o600 });
    await expect(FileStore.open(path, 'KIS_TOKEN_FILE')).rejects.toThrow('is no file that this wrote');
    expect(await readFile(path, 'utf8')).toBe('my notes on this and that');
    await chmod(path, 0o644);
    await expect(FileStore.open(path, 'KIS_TOKEN_FILE')).rejects.toThrow('KIS_TOKEN_FILE: ' + path + ' has mode 644');
    await expect(FileStore.open(join(path, 'below'), 'KIS_TOKEN_FILE')).rejects.toThrow('cannot be made');
  });

  it('waits for another process that writes, and says so if that goes on', async () => {
    const path = join(await testFolder(), 'store');
    const store = await FileStore.open(path, 'TEST');
    const other = new DatabaseSync(path);
    onTestFinished(() => store.close().then(() => other.close()));
    other.exec('BEGIN EXCLUSIVE');
    const waiting = store.swap('a', undefined, { value: '1', ttlMs: LONG });
    await new Promise(setImmediate);
    other.exec('COMMIT');
    expect(await waiting).toBe(true);
    other.exec('BEGIN EXCLUSIVE');
    await expect(store.read('a')).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', retryable: true });
  });
});

describe('the machine’s folder', () => {
  it('is locked before Redis, so that processes of a machine do not race in it', async () => {
    const folder = await testFolder();
    const redis = { host: '127.0.0.1', port: 1 };
    const stores = await openKisStores({ redis, machineFolder: folder, clock: systemClock });
    onTestFinished(() => stores.close());
    expect(stores.locks.map(({ place }) => place)).toEqual([join(folder, 'locks.sqlite'), 'Redis at 127.0.0.1:1']);
    expect(stores.machine).toBe(stores.locks[0]);
  });

  it.skipIf(userInfo().uid !== 0)('must be the user’s own', async () => {
    const folder = await testFolder();
    await chown(folder, 4_242, 4_242);
    await expect(openKisStores({ machineFolder: folder, clock: systemClock })).rejects.toThrow('with mode 700');
  });

  it('must be private', async () => {
    const folder = await testFolder();
    await chmod(folder, 0o755);
    await expect(openKisStores({ machineFolder: folder, clock: systemClock })).rejects.toThrow('with mode 700');
  });
});
