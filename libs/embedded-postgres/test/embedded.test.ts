import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, watch } from 'node:fs';
import { chmod, chown, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { startEmbeddedPostgres, type EmbeddedPostgres, type EmbeddedPostgresOptions } from '../src/start.js';
import { dataFolderAt } from '../src/data-folder.js';
import { claimFolder } from '../src/folder-owner.js';
import { clearOrphan } from '../src/orphan.js';
import { isAlive } from '../src/process-table.js';
import { holder, holderAs } from './support/holder.js';

// Every test makes a database cluster or two, which is a second's work on an idle machine and more on others.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

const isRoot = process.getuid?.() === 0;
/** Whether the kernel can be asked to end the server together with the application. */
const hasDeathSignal = process.platform === 'linux' && canRun('/usr/bin/setpriv');
const NOBODY = 65_534;

describe('an embedded PostgreSQL', () => {
  it('is a database of the asked name, in UTF-8 and UTC, that only this machine reaches with the password', async () => {
    const dataDir = await dataFolder();
    const postgres = await start({ dataDir, database: 'my "database"', user: 'someone' });
    expect(
      await query(
        postgres.url,
        `SELECT current_database(), current_user, current_setting('server_encoding') AS encoding,
      current_setting('TimeZone') AS zone, current_setting('listen_addresses') AS listens, current_setting('fsync') AS fsync`,
      ),
    ).toEqual([
      {
        current_database: 'my "database"',
        current_user: 'someone',
        encoding: 'UTF8',
        zone: 'UTC',
        listens: '127.0.0.1',
        fsync: 'on',
      },
    ]);
    await expect(query(postgres.url.replace(postgres.password, 'wrong'), 'SELECT')).rejects.toThrow(
      'authentication failed',
    );
    expect((await stat(join(dataDir, 'password'))).mode & 0o777).toBe(0o600);
    expect((await stat(join(dataDir, 'cluster'))).mode & 0o777).toBe(0o700);
  });

  it('keeps its data and its password from one start to the next', async () => {
    const dataDir = await dataFolder();
    const first = await start({ dataDir });
    await query(first.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
    await first.stop();
    expect(await first.ended).toBeUndefined();
    expect(isAlive(first.pid)).toBe(false);
    const second = await start({ dataDir });
    expect(second.password).toBe(first.password);
    expect(await query(second.url, 'SELECT * FROM kept')).toEqual([{ answer: 42 }]);
  });

  it('runs from a folder that anybody may enter as well as from one that only its owner may', async () => {
    const open = await dataFolder();
    await chmod(join(open, '..'), 0o755);
    const closed = await dataFolder();
    for (const dataDir of [open, closed]) {
      const postgres = await start({ dataDir });
      expect(await query(postgres.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
      await postgres.stop();
    }
  });

  it('does not heed what the environment says to PostgreSQL', async () => {
    const env = { PGDATA: '/nowhere', PGPORT: '1', LC_ALL: 'ko_KR.EUC-KR', TZ: 'Asia/Seoul', PATH: '' };
    const { url } = await holder([await dataFolder()], { env }).told();
    expect(await query(url, `SELECT current_setting('TimeZone') AS zone, now() > '2020-01-01' AS runs`)).toEqual([
      { zone: 'UTC', runs: true },
    ]);
  });

  it('does not end by the Ctrl-C that its application has to drain upon', async () => {
    const running = holder([await dataFolder()], { detached: true });
    const { url, pid } = await running.told();
    process.kill(-(running.child.pid ?? 0), 'SIGINT');
    expect(await running.told()).toBe('interrupted');
    expect(await query(url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    if (process.platform === 'linux')
      expect((await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1]?.split(' ')[2]).toBe(String(pid));
  });

  it('takes the asked port, and says so when somebody else has it', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    onTestFinished(() => void taken.close());
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    const dataDir = await dataFolder();
    await expect(start({ dataDir, port })).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: expect.stringContaining(`port ${port} of 127.0.0.1 is taken`) as string,
    });
    taken.close();
    await once(taken, 'close');
    expect((await start({ dataDir, port })).port).toBe(port);
  });

  it.each([
    ['the cluster is being made', 'cluster.unfinished'],
    ['the server is starting', 'cluster'],
  ])('leaves nothing running when its start is aborted while %s', async (_, place) => {
    const dataDir = await dataFolder();
    const abort = new AbortController();
    const watcher = watch(dataDir, (_, name) => {
      if (name?.split('-')[0] === place) abort.abort(new Error('enough'));
    });
    await expect(start({ dataDir, signal: abort.signal })).rejects.toThrow('enough');
    watcher.close();
    expect(await commandLinesNaming(dataDir)).toEqual([]);
    const postgres = await start({ dataDir });
    expect(await commandLinesNaming(dataDir)).not.toEqual([]);
    expect(await query(postgres.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });
});

describe('after a kill', () => {
  it('of the application, the server it left behind is stopped and the committed data is there', async () => {
    const dataDir = await dataFolder();
    const running = holder([dataDir, 'thread']);
    const { url, pid } = await running.told();
    await query(url, 'CREATE TABLE kept AS SELECT 42 AS answer');
    await running.kill();
    expect(isAlive(pid)).toBe(true);
    const postgres = await start({ dataDir });
    expect(postgres.pid).not.toBe(pid);
    await expect(query(url, 'SELECT')).rejects.toThrow();
    expect(await query(postgres.url, 'SELECT * FROM kept')).toEqual([{ answer: 42 }]);
  });

  it.runIf(hasDeathSignal)('of the application, the server ends by itself', async () => {
    const running = holder([await dataFolder()]);
    const { url } = await running.told();
    const client = new Client({ connectionString: url });
    client.on('error', () => undefined);
    await client.connect();
    const ended = new Promise<void>((resolve) => client.on('end', resolve));
    await running.kill();
    await ended;
  });

  it('of the server, the application is told and the next start recovers', async () => {
    const dataDir = await dataFolder();
    const first = await start({ dataDir });
    await query(first.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
    process.kill(first.pid, 'SIGKILL');
    expect(await first.ended).toMatchObject({ code: 'STORE_UNAVAILABLE' });
    await first.stop();
    const second = await start({ dataDir });
    expect(await query(second.url, 'SELECT * FROM kept')).toEqual([{ answer: 42 }]);
  });

  it('in the middle of the first start, the next one begins anew', async () => {
    const dataDir = await dataFolder();
    const running = holder([dataDir]);
    const begun = Promise.withResolvers<undefined>();
    const places = new Set<string>();
    const watcher = watch(dataDir, (_, name) => {
      if (!name?.startsWith('cluster.unfinished')) return;
      places.add(name);
      begun.resolve(undefined);
    });
    await begun.promise;
    await running.kill();
    await expect(stat(join(dataDir, 'cluster'))).rejects.toThrow('ENOENT');
    const postgres = await start({ dataDir });
    watcher.close();
    // In a place of its own: the first one's `initdb` may still be emptying the other.
    expect(places.size).toBe(2);
    expect(await query(postgres.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it('in the middle of the first start, what is left of it is taken away', async () => {
    const dataDir = await dataFolder();
    await mkdir(join(dataDir, 'cluster.unfinished-1', 'base'), { recursive: true });
    await start({ dataDir });
    expect((await readdir(dataDir)).sort()).toEqual(['cluster', 'owner', 'password']);
  });

  it('of a process that held the folder, its claim is void, whatever process has its id by now', async () => {
    const dataDir = await dataFolder();
    await writeFile(join(dataDir, 'owner'), `${process.pid} at another time\n`);
    const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => claimFolder(dataFolderAt(dataDir))));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await readdir(dataDir)).toEqual(['owner']);
  });

  it('a pid that belongs to another process by now is left alone', async () => {
    const dataDir = await dataFolder();
    const first = await start({ dataDir });
    await first.stop();
    const { uid, gid } = await stat(join(dataDir, 'cluster'));
    const other = spawn('/bin/sleep', ['3600'], {
      stdio: 'ignore',
      ...(isRoot && { uid, gid }),
    });
    onTestFinished(() => void other.kill('SIGKILL'));
    await writeFile(
      join(dataDir, 'cluster', 'postmaster.pid'),
      `${other.pid}\n${join(dataDir, 'cluster')}\n1\n5432\n\n127.0.0.1\n0 0\n`,
    );
    const second = await start({ dataDir });
    expect(await query(second.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    expect(isAlive(other.pid ?? 0)).toBe(true);
  });
});

describe('a data folder', () => {
  it('that a living process uses is refused, and its server goes on', async () => {
    const dataDir = await dataFolder();
    const running = holder([dataDir]);
    const { url } = await running.told();
    await expect(start({ dataDir })).rejects.toMatchObject({
      code: 'CONFIG_DATA_DIR_IN_USE',
      message: expect.stringContaining(`process ${running.child.pid}`) as string,
    });
    expect(await query(url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it('is not started twice by one process either', async () => {
    const dataDir = await dataFolder();
    await start({ dataDir });
    await expect(start({ dataDir })).rejects.toMatchObject({ code: 'CONFIG_DATA_DIR_IN_USE' });
  });

  it('whose claim cannot be read is taken for claimed', async () => {
    const dataDir = await dataFolder();
    await mkdir(join(dataDir, 'owner'));
    await expect(start({ dataDir })).rejects.toMatchObject({
      code: 'CONFIG_DATA_DIR_IN_USE',
      message: expect.stringContaining('cannot be read (EISDIR)') as string,
    });
  });

  it('is given free by the one that holds it only', async () => {
    const folder = dataFolderAt(await dataFolder());
    const first = await claimFolder(folder);
    await first.release();
    await claimFolder(folder);
    await first.release();
    await expect(claimFolder(folder)).rejects.toMatchObject({ code: 'CONFIG_DATA_DIR_IN_USE' });
  });

  it('of another major version is refused with a sentence that names both', async () => {
    const dataDir = await dataFolder();
    const first = await start({ dataDir });
    await first.stop();
    await writeFile(join(dataDir, 'cluster', 'PG_VERSION'), '15\n');
    await expect(start({ dataDir })).rejects.toThrow(/made by PostgreSQL 15, and this program brings 18/);
  });

  it('whose password is gone is refused with the name of the file', async () => {
    const dataDir = await dataFolder();
    const first = await start({ dataDir });
    await first.stop();
    await rm(join(dataDir, 'password'));
    await expect(start({ dataDir })).rejects.toMatchObject({
      code: 'STORE_DAMAGED',
      message: expect.stringContaining(join(dataDir, 'password')) as string,
    });
    expect(await commandLinesNaming(dataDir)).toEqual([]);
  });

  it('that cannot be made is refused with its name', async () => {
    const dataDir = await dataFolder();
    await writeFile(join(dataDir, 'file'), '');
    await expect(start({ dataDir: join(dataDir, 'file', 'data') })).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: expect.stringContaining('cannot be written (ENOTDIR); give --data-dir') as string,
    });
  });

  describe.runIf(isRoot)('of a user without rights', () => {
    it('runs under that user', async () => {
      const dataDir = await dataFolder();
      await chmod(join(dataDir, '..'), 0o755);
      await chown(dataDir, NOBODY, NOBODY);
      const { url } = await holderAs(NOBODY, [dataDir]).told();
      expect(await query(url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
      expect((await stat(join(dataDir, 'cluster'))).uid).toBe(NOBODY);
    });

    it('goes on under that user when root starts it', async () => {
      const dataDir = await dataFolder();
      await chmod(join(dataDir, '..'), 0o755);
      await chown(dataDir, NOBODY, NOBODY);
      const running = holderAs(NOBODY, [dataDir]);
      const { url } = await running.told();
      await query(url, 'CREATE TABLE kept AS SELECT 42 AS answer');
      await running.kill();
      const postgres = await start({ dataDir });
      expect(await query(postgres.url, 'SELECT * FROM kept')).toEqual([{ answer: 42 }]);
      expect((await stat(join(dataDir, 'cluster'))).uid).toBe(NOBODY);
    });

    it('is refused to another one, with a sentence that says whose it is', async () => {
      const dataDir = await dataFolder();
      await chmod(join(dataDir, '..'), 0o755);
      await (await start({ dataDir })).stop();
      await chmod(dataDir, 0o777);
      const { uid } = await stat(join(dataDir, 'cluster'));
      const other = uid === NOBODY ? 1 : NOBODY;
      const { error } = await holderAs(other, [dataDir]).told();
      expect(error).toMatchObject({
        code: 'STORE_UNAVAILABLE',
        message: expect.stringContaining(`belongs to user ${uid}, and this program runs as user ${other}`) as string,
      });
    });

    it('that may not write there is refused with the name of the folder', async () => {
      const dataDir = await dataFolder();
      await chmod(join(dataDir, '..'), 0o755);
      const { error } = await holderAs(NOBODY, [dataDir]).told();
      expect(error).toMatchObject({
        code: 'STORE_UNAVAILABLE',
        message: expect.stringContaining(`${dataDir} cannot be written (EACCES)`) as string,
      });
    });
  });
});

/** A new data folder, under a parent that only its owner may enter. */
async function dataFolder(): Promise<string> {
  const parent = await mkdtemp(join(tmpdir(), 'aipx data-'));
  const folder = join(parent, 'postgres');
  onTestFinished(async () => {
    await clearOrphan(join(folder, 'cluster'), AbortSignal.timeout(150_000));
    await rm(parent, { recursive: true, force: true, maxRetries: 5 });
  });
  await mkdir(folder);
  return folder;
}

/** Starts a server that ends with the test. */
async function start(
  options: Partial<EmbeddedPostgresOptions> & { readonly dataDir: string },
): Promise<EmbeddedPostgres> {
  const postgres = await startEmbeddedPostgres({ signal: AbortSignal.timeout(150_000), ...options });
  onTestFinished(() => postgres.stop());
  return postgres;
}

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

/** The processes that have the folder in their command line. */
async function commandLinesNaming(dataDir: string): Promise<string[]> {
  const { stdout } = await promisify(execFile)('/bin/ps', ['-A', '-ww', '-o', 'command=']);
  return stdout.split('\n').filter((line) => line.includes(dataDir));
}

function canRun(program: string): boolean {
  try {
    accessSync(program, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
