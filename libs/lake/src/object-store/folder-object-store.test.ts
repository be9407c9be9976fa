import { chmod, mkdir, readdir, readFile, rename, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { tempFolder } from '../../test/support/temp-folder.js';
import { FolderObjectStore } from './folder-object-store.js';

const bytes = (text: string) => new TextEncoder().encode(text);
const KEY = 'market-data/_plan/market.tick-0-00000000000000000000.json';

async function keys(store: FolderObjectStore, prefix: string): Promise<string[]> {
  const found: string[] = [];
  for await (const key of store.list(prefix)) found.push(key);
  return found;
}

describe('FolderObjectStore', () => {
  it('creates an object once and leaves it as it was', async () => {
    const store = await FolderObjectStore.open(await tempFolder());
    expect(await store.putIfAbsent(KEY, bytes('first'))).toBe('created');
    expect(await store.putIfAbsent(KEY, bytes('second'))).toBe('exists');
    expect(await store.get(KEY)).toEqual(bytes('first'));
  });

  it('lets exactly one of many callers create an object', async () => {
    const folder = await tempFolder();
    const stores = await Promise.all(Array.from({ length: 8 }, () => FolderObjectStore.open(folder)));
    const outcomes = await Promise.all(stores.map((store, index) => store.putIfAbsent(KEY, bytes(`writer ${index}`))));
    const winner = outcomes.indexOf('created');
    expect(outcomes.filter((outcome) => outcome === 'created')).toHaveLength(1);
    expect(await stores[0]?.get(KEY)).toEqual(bytes(`writer ${winner}`));
  });

  it('lists keys by prefix in the order of their bytes, across folders', async () => {
    const store = await FolderObjectStore.open(await tempFolder());
    const all = ['m/a', 'm/a-1', 'm/a/b', 'm/a0', 'm/b/c/d', 'n'];
    for (const key of all.toReversed()) if (key !== 'm/a') await store.putIfAbsent(key, bytes(key));
    expect(await keys(store, '')).toEqual(['m/a-1', 'm/a/b', 'm/a0', 'm/b/c/d', 'n']);
    expect(await keys(store, 'm/a')).toEqual(['m/a-1', 'm/a/b', 'm/a0']);
    expect(await keys(store, 'm/b/')).toEqual(['m/b/c/d']);
    expect(await keys(store, 'nowhere/')).toEqual([]);
  });

  it('leaves no temporary file behind, and removes those that a crash left', async () => {
    const folder = await tempFolder();
    const store = await FolderObjectStore.open(folder);
    await store.putIfAbsent(KEY, bytes('content'));
    await store.putIfAbsent(KEY, bytes('content'));
    expect(await readdir(join(folder, '.incoming'))).toEqual([]);

    const [left, fresh] = [join(folder, '.incoming', 'left'), join(folder, '.incoming', 'fresh')];
    await writeFile(left, 'half of an obj');
    await writeFile(fresh, 'another process is at work on it');
    await utimes(left, new Date(0), new Date(0));
    await FolderObjectStore.open(folder);
    expect(await readdir(join(folder, '.incoming'))).toEqual(['fresh']);
  });

  it('refuses a folder that cannot be written, with the way out', async () => {
    const file = join(await tempFolder(), 'file');
    await writeFile(file, '');
    await expect(FolderObjectStore.open(join(file, 'lake'))).rejects.toMatchObject({
      code: 'STORE_REFUSED',
      message: expect.stringMatching(/cannot write to the lake's folder .*choose a writable LAKE_DIR/),
    });
  });

  it('refuses a read-only folder', async () => {
    const folder = await tempFolder();
    const readOnly = join(folder, 'lake');
    await mkdir(readOnly);
    await chmod(readOnly, 0o555);
    await chmod(folder, 0o755);
    await asNobody(() =>
      expect(FolderObjectStore.open(readOnly)).rejects.toMatchObject({
        code: 'STORE_REFUSED',
        message: expect.stringMatching(/EACCES.*choose a writable LAKE_DIR/),
      }),
    );
  });

  it('calls a folder that vanished an outage, not an empty lake, and goes on when it is back', async () => {
    const folder = join(await tempFolder(), 'lake');
    const store = await FolderObjectStore.open(folder);
    await store.putIfAbsent(KEY, bytes('content'));
    await rename(folder, `${folder}-unmounted`);
    const outage = { code: 'STORE_UNAVAILABLE', retryable: true };
    await expect(store.get(KEY)).rejects.toMatchObject(outage);
    await expect(keys(store, 'market-data/')).rejects.toMatchObject(outage);
    await expect(store.putIfAbsent('market-data/new', bytes('x'))).rejects.toMatchObject(outage);

    await mkdir(folder); // an empty mount point
    await expect(keys(store, 'market-data/')).rejects.toMatchObject(outage);
    await rename(`${folder}-unmounted`, folder);
    expect(await store.get(KEY)).toEqual(bytes('content'));
    expect(await readFile(join(folder, KEY), 'utf8')).toBe('content');
  });

  it.each(['../escape', '/etc/passwd', 'a//b', 'a/./b', '', 'a/', '.incoming/a'])('refuses the key %j', async (key) => {
    const store = await FolderObjectStore.open(await tempFolder());
    await expect(store.putIfAbsent(key, bytes('x'))).rejects.toMatchObject({ code: 'STORE_REFUSED' });
  });
});

/** Root may write anywhere, so under root the action runs as the user nobody. */
async function asNobody(action: () => Promise<void>): Promise<void> {
  if (process.geteuid?.() !== 0) return action();
  process.seteuid?.(65_534);
  try {
    await action();
  } finally {
    process.seteuid?.(0);
  }
}
