import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { KisAccounts } from '../src/index.js';
import { testFolder } from './support/folders.js';
import { API_KEY, API_SECRET, oneAccount } from './support/keys.js';

const OTHER_KEY = API_KEY.replace('PS', 'PT');

async function accountsFile(text: string, mode = 0o600): Promise<string> {
  const path = join(await testFolder(), 'accounts');
  await writeFile(path, text);
  await chmod(path, mode);
  return path;
}

const load = (path: string) => KisAccounts.load({ environment: 'real', accountsFile: path });

describe('accounts', () => {
  it('come from the pair of settings', async () => {
    const { all } = await oneAccount('virtual');
    expect(all).toMatchObject([{ name: 'default', environment: 'virtual', apiKey: API_KEY, apiSecret: API_SECRET }]);
  });

  it('come from a file, one a line, with comments', async () => {
    const text = `# ours\r\nmain ${API_KEY} ${API_SECRET}\n\n  # more\n\tspare.2  ${OTHER_KEY}\t${API_SECRET}`;
    const { all } = await load(await accountsFile(text));
    expect(all.map(({ name, apiKey }) => [name, apiKey])).toEqual([
      ['main', API_KEY],
      ['spare.2', OTHER_KEY],
    ]);
    expect(new Set(all.map(({ keyHash }) => keyHash)).size).toBe(2);
  });

  it('stand in logs and names by a hash that tells nothing of the key and changes with it', async () => {
    const [account] = (await oneAccount()).all;
    expect(account?.keyHash).toMatch(/^[0-9a-f]{12}$/);
    const shown = [inspect(account, { depth: 9, showHidden: true }), JSON.stringify(account), String(account)].join();
    expect(shown).not.toContain(API_KEY);
    expect(shown).not.toContain(API_SECRET);
  });

  it('with another secret have another fingerprint and the same hash', async () => {
    const [a, b] = [...(await oneAccount()).all, ...(await oneAccount('real', 'x'.repeat(180))).all];
    expect(a?.keyHash).toBe(b?.keyHash);
    expect(a?.fingerprint).not.toBe(b?.fingerprint);
  });

  it.each([
    [{}, 'KIS_API_KEY and KIS_API_SECRET must be set'],
    [{ apiKey: API_KEY }, 'KIS_API_SECRET must be set'],
    [{ apiSecret: API_SECRET }, 'KIS_API_KEY must be set'],
    [{ apiKey: API_KEY, apiSecret: API_SECRET, accountsFile: 'x' }, 'not both'],
    [{ apiKey: API_SECRET, apiSecret: API_KEY }, 'they seem swapped'],
    [{ apiKey: 'a b c d', apiSecret: API_SECRET }, 'the app key has 7 characters, among them blanks'],
    [{ apiKey: API_KEY, apiSecret: 'abc' }, 'the app secret has 3 characters; KIS prints one of 180'],
  ])('are refused with what is right: %#', async (settings, words) => {
    const refused = KisAccounts.load({ environment: 'real', ...settings });
    await expect(refused).rejects.toMatchObject({ code: 'CONFIG_ACCOUNT', retryable: false });
    await expect(refused).rejects.toThrow(words);
  });
});

describe('a file of accounts', () => {
  it.each([
    ['one word', `main`, 'line 1: expected "name app-key app-secret"'],
    ['four words', `\nmain ${API_KEY} ${API_SECRET} x`, 'line 2: expected "name app-key app-secret"'],
    ['the key in front', `${API_KEY} ${API_SECRET} main`, 'line 1: the first word is the account’s name'],
    ['key and secret swapped', `main ${API_SECRET} ${API_KEY}`, 'line 1: account "main": the app key (180'],
    ['a name twice', `a ${API_KEY} ${API_SECRET}\na ${OTHER_KEY} ${API_SECRET}`, 'same name "a" as line 1'],
    [
      'a key twice',
      `a ${API_KEY} ${API_SECRET}\n\nb ${API_KEY} ${API_SECRET}`,
      'line 3: account "b" has the same app key as line 1',
    ],
    ['no account', `# none\n`, 'holds no account'],
  ])('is refused for %s, by its line and without its secrets', async (_, text, words) => {
    const path = await accountsFile(text);
    const error: unknown = await load(path).catch((cause: unknown) => cause);
    expect(error).toMatchObject({ code: 'CONFIG_ACCOUNT', context: { path } });
    const shown = `${String(error)} ${JSON.stringify(error)}`;
    expect(shown).toContain(words);
    expect(shown).not.toContain(API_KEY);
    expect(shown).not.toContain(API_SECRET.slice(0, 20));
  });

  it.each([0o644, 0o640, 0o400, 0o700])('is refused with mode %o', async (mode) => {
    const path = await accountsFile(`main ${API_KEY} ${API_SECRET}`, mode);
    await expect(load(path)).rejects.toThrow(`has mode ${mode.toString(8)}; it holds secrets and must have 600 (chmod`);
  });

  it('is refused when it is missing, a folder, or beyond all measure', async () => {
    const folder = await testFolder();
    await expect(load(join(folder, 'none'))).rejects.toThrow('cannot be opened for reading');
    await mkdir(join(folder, 'folder'));
    await expect(load(join(folder, 'folder'))).rejects.toThrow('is not a plain file');
    await expect(load(await accountsFile('#'.repeat(1024 * 1024 + 1)))).rejects.toThrow('at most 1048576 are read');
  });

  it('may be reached by a link, as secrets are mounted', async () => {
    const path = await accountsFile(`main ${API_KEY} ${API_SECRET}`);
    await symlink(path, `${path}-link`);
    expect((await load(`${path}-link`)).all).toHaveLength(1);
  });
});
