import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { testFolder } from '../test/support/folders.js';
import { fetchOnce } from './fetch-once.js';

const { signal } = new AbortController();

describe('fetchOnce', () => {
  it('fills a folder once, however many ask for it at the same time', async () => {
    const folder = join(await testFolder(), 'cache', 'jars');
    let fills = 0;
    const fill = async (unfinished: string) => {
      fills += 1;
      await writeFile(join(unfinished, 'content'), `fill ${fills}`);
    };
    await Promise.all([1, 2, 3].map(() => fetchOnce(folder, signal, fill)));
    await fetchOnce(folder, signal, fill);
    expect(fills).toBe(1);
    expect(await readFile(join(folder, 'content'), 'utf8')).toBe('fill 1');
  });

  it('leaves nothing behind when it fails, and tries again when it is asked again', async () => {
    const parent = await testFolder();
    const folder = join(parent, 'jars');
    const failing = fetchOnce(folder, signal, async (unfinished) => {
      await writeFile(join(unfinished, 'half'), '');
      throw new Error('no network');
    });
    await expect(failing).rejects.toThrow('no network');
    expect(await readdir(parent)).toEqual(['jars.turn']);
    await fetchOnce(folder, signal, async (unfinished) => await writeFile(join(unfinished, 'whole'), ''));
    expect(await readdir(folder)).toEqual(['whole']);
  });

  it('goes on where a process was killed while it fetched', async () => {
    const parent = await testFolder();
    const folder = join(parent, 'jars');
    await mkdir(`${folder}.turn`);
    // Process 1 lives, and started at another time than this one says.
    const dead = { holder: { pid: 1, started: 'another time' }, servers: [] };
    await writeFile(join(`${folder}.turn`, 'claim.json'), JSON.stringify(dead));
    await mkdir(`${folder}.unfinished-abc`);
    await fetchOnce(folder, signal, async (unfinished) => await writeFile(join(unfinished, 'whole'), ''));
    expect(await readdir(parent)).toEqual(['jars', 'jars.turn']);
    expect(await readdir(`${folder}.turn`)).toEqual([]);
  });
});
