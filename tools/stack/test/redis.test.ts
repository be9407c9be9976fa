import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { redisUnavailable, startRedis, type RedisOptions, type RedisServer } from '../src/index.js';
import { fetchRedis } from '../src/redis/programs.js';
import { testFolder } from './support/folders.js';
import { gone, holdServer, isAlive } from './support/processes.js';
import { redis } from './support/redis-client.js';

const { signal } = new AbortController();
const missing = redisUnavailable();

async function start(options: Omit<RedisOptions, 'signal'>): Promise<RedisServer> {
  const server = await startRedis({ ...options, signal });
  onTestFinished(() => server.stop());
  return server;
}

describe.skipIf(missing !== undefined)(`Redis${missing === undefined ? '' : ` (${missing})`}`, () => {
  beforeAll(() => fetchRedis(signal, () => undefined));

  it('has what it acknowledged again after a kill, and after a stop', async () => {
    const server = await start({ folder: await testFolder() });
    expect(await redis(server.port, 'SET kept yes')).toEqual(['+OK']);
    await server.kill();
    expect(server.pid).toBeUndefined();
    await server.start();
    expect(await redis(server.port, 'GET kept')).toEqual(['$3', 'yes']);
    const before = server.pid ?? 0;
    await server.stop();
    expect(await isAlive(before)).toBe(false);
    await server.start();
    expect(await redis(server.port, 'GET kept')).toEqual(['$3', 'yes']);
  });

  it('asks for its password, which no other process can see', async () => {
    const password = 'a "quoted" \\ word';
    const lines: string[] = [];
    const server = await start({ folder: await testFolder(), password, onLog: (line) => lines.push(line) });
    expect(await redis(server.port, 'GET x')).toEqual([expect.stringContaining('NOAUTH')]);
    expect(await redis(server.port, `AUTH "a \\"quoted\\" \\\\ word"`, 'GET x')).toEqual(['+OK', '$-1']);
    if (process.platform === 'linux') {
      expect(await readFile(`/proc/${server.pid}/cmdline`, 'utf8')).not.toContain('quoted');
    }
    expect(lines.join('\n')).not.toContain('quoted');
  });

  it('refuses a folder that is in use, and a port that is taken', async () => {
    const folder = await testFolder();
    const { port } = await start({ folder });
    await expect(startRedis({ folder, signal })).rejects.toMatchObject({ code: 'CONFIG_DATA_DIR_IN_USE' });
    await expect(startRedis({ folder: await testFolder(), port, signal })).rejects.toThrow(
      `port ${port} of 127.0.0.1 is taken`,
    );
  });

  it.skipIf(process.platform !== 'linux')('dies with the process that started it', async () => {
    const holder = await holdServer('redis', 'main', await testFolder());
    await holder.kill();
    await gone(holder.serverPid);
  });

  it('is ended by the next start when a killed process left it behind', async () => {
    const folder = await testFolder();
    const holder = await holdServer('redis', 'worker', folder);
    expect(await redis(Number(holder.identity), 'SET kept yes')).toEqual(['+OK']);
    await holder.kill();
    expect(await isAlive(holder.serverPid)).toBe(true);
    const server = await start({ folder });
    expect(await isAlive(holder.serverPid)).toBe(false);
    expect(await redis(server.port, 'GET kept')).toEqual(['$3', 'yes']);
  });

  it('is not started by a start that was called off', async () => {
    const reason = new Error('no longer wanted');
    const start = startRedis({ folder: await testFolder(), signal: AbortSignal.abort(reason) });
    await expect(start).rejects.toBe(reason);
  });
});
