import { once } from 'node:events';
import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { kafkaUnavailable, redisUnavailable, versitygwUnavailable } from '../src/index.js';
import { testFolder } from './support/folders.js';
import { gone, isAlive, stack, startStack } from './support/processes.js';
import { redis } from './support/redis-client.js';

/** A stack of its own that is gone when the test is over. */
async function stackFolder(): Promise<string> {
  const dir = join(await testFolder(), 'stack');
  onTestFinished(async () => void (await stack(['down', '--dir', dir])));
  return dir;
}

function variables(lines: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    lines
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => line.split('=')),
  ) as Record<string, string>;
}

function pidOf(status: string, name: string): number {
  return Number(new RegExp(`^${name} +running .* pid (\\d+) +\\d+ MB$`, 'm').exec(status)?.[1]);
}

const noRedis = redisUnavailable();
const redisTitle = noRedis === undefined ? '' : ` (${noRedis})`;

describe('npm run stack', () => {
  const missing = kafkaUnavailable() ?? noRedis;

  it.skipIf(missing !== undefined)(
    `starts every part, says where it is, and stops what it started${missing === undefined ? '' : ` (${missing})`}`,
    async () => {
      const dir = await stackFolder();
      const up = await stack(['up', '--native', '--dir', dir]);
      expect(up).toMatchObject({ code: 0 });
      expect(up.stdout).toMatch(/^(#[^\n]*\n|[A-Z][A-Z0-9_]*=[\w.:/,-]+\n)+$/);
      const addresses = variables(up.stdout);
      expect(Object.keys(addresses)).toEqual([
        'KAFKA_BROKERS',
        ...['HOST', 'PORT', 'USER', 'PASSWORD', 'DB'].map((name) => `TIMESCALEDB_${name}`),
        ...['REDIS_HOST', 'REDIS_PORT'],
        ...['S3_ENDPOINT', 'S3_REGION', 'S3_BUCKET', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'],
        ...(versitygwUnavailable() === undefined ? [] : ['S3_SINGLE_WRITER']),
      ]);
      expect(await readFile(join(dir, 'stack.env'), 'utf8')).toBe(up.stdout);
      expect((await stat(join(dir, 'stack.env'))).mode & 0o777).toBe(0o600);

      const status = await stack(['status', '--dir', dir]);
      expect(status).toMatchObject({ code: 0 });
      const pids = ['kafka-1', 'postgres', 'redis', 's3'].map((name) => pidOf(status.stdout, name));
      expect(await Promise.all(pids.map(isAlive))).toEqual([true, true, true, true]);
      expect(await redis(Number(addresses['REDIS_PORT']), 'PING')).toEqual(['+PONG']);
      expect((await stack(['logs', 'kafka', '--dir', dir])).stdout).toContain('Kafka Server started');

      // The second one finds all of it and changes nothing.
      expect(await stack(['up', '--native', '--dir', dir])).toEqual({ code: 0, stdout: up.stdout, stderr: '' });
      expect((await stack(['status', '--dir', dir])).stdout.match(/pid \d+/g)).toEqual(pids.map((pid) => `pid ${pid}`));

      expect(await stack(['down', '--dir', dir])).toMatchObject({ code: 0, stdout: '' });
      expect(await Promise.all(pids.map(isAlive))).toEqual([false, false, false, false]);
      expect((await stack(['status', '--dir', dir])).stdout).toBe(
        ['kafka', 'postgres', 'redis', 's3'].map((part) => `${part.padEnd(8)}  stopped\n`).join(''),
      );
      expect(await readdir(dir)).not.toContain('stack.env');
    },
  );

  it.skipIf(noRedis !== undefined)(`keeps the data until it is told to wipe them${redisTitle}`, async () => {
    const dir = await stackFolder();
    const only = ['--native', '--only', 'redis', '--dir', dir];
    const port = Number(variables((await stack(['up', ...only])).stdout)['REDIS_PORT']);
    await redis(port, 'SET kept yes');
    await stack(['down', '--dir', dir]);
    const again = Number(variables((await stack(['up', ...only])).stdout)['REDIS_PORT']);
    expect(await redis(again, 'GET kept')).toEqual(['$3', 'yes']);
    await writeFile(join(dir, 'not-ours'), '');
    await stack(['down', '--wipe', '--dir', dir]);
    expect(await readdir(dir)).toEqual(['not-ours']);
  });

  it.skipIf(noRedis !== undefined)(
    `says of a part that was killed that it is dead, and starts it again${redisTitle}`,
    async () => {
      const dir = await stackFolder();
      const only = ['--native', '--only', 'redis', '--dir', dir];
      const { stdout } = await stack(['up', ...only]);
      const pid = pidOf((await stack(['status', '--dir', dir])).stdout, 'redis');
      process.kill(pid, 'SIGKILL');
      await gone(pid);
      expect(await stack(['status', '--dir', dir])).toMatchObject({
        code: 1,
        stdout: expect.stringMatching(/^redis +dead/m),
      });
      expect(await stack(['up', ...only])).toMatchObject({ code: 0, stdout });
      expect(pidOf((await stack(['status', '--dir', dir])).stdout, 'redis')).not.toBe(pid);
    },
  );

  it.skipIf(noRedis !== undefined)(
    `never ends a process that took over the number of one of its own${redisTitle}`,
    async () => {
      const dir = await stackFolder();
      await stack(['up', '--native', '--only', 'redis', '--dir', dir]);
      const state = join(dir, 'state', 'redis.json');
      const written = await readFile(state, 'utf8');
      await stack(['down', '--dir', dir]);
      const stranger = startStack(['logs', '--follow', '--dir', dir]);
      if (stranger.stdout !== null) await once(stranger.stdout, 'data'); // it listens for signals by now
      const forged = written.replace(/"pid":\d+/g, `"pid":${stranger.pid}`);
      await writeFile(state, forged);
      expect(await stack(['down', '--dir', dir])).toMatchObject({ code: 0 });
      expect(stranger.exitCode).toBeNull();
      expect(stranger.signalCode).toBeNull();
      stranger.kill('SIGINT');
      expect(await once(stranger, 'exit')).toEqual([0, null]);
    },
  );

  it.skipIf(noRedis !== undefined)(`follows what a part writes until it is interrupted${redisTitle}`, async () => {
    const dir = await stackFolder();
    await mkdir(join(dir, 'logs'), { recursive: true });
    const log = join(dir, 'logs', 'redis.log');
    await writeFile(log, 'one\n');
    const logs = startStack(['logs', 'redis', '-f', '--dir', dir]);
    let seen = '';
    logs.stdout?.on('data', (chunk) => (seen += String(chunk)));
    await expect.poll(() => seen, { timeout: 60_000 }).toBe('redis: one\n');
    await writeFile(log, 'two\n', { flag: 'a' });
    await expect.poll(() => seen, { timeout: 60_000 }).toBe('redis: one\nredis: two\n');
    logs.kill('SIGINT');
    expect(await once(logs, 'exit')).toEqual([0, null]);
  });

  it('names a part that cannot be had, and starts the others', async () => {
    const dir = await stackFolder();
    const nothing = await testFolder();
    const env = { PATH: nothing, JAVA_HOME: '' };
    const up = await stack(['up', '--only', 'kafka,s3', '--dir', dir], env);
    expect(up.stderr).toContain('kafka IS MISSING: Kafka 4.3.0 needs Java 17 or later');
    expect(up).toMatchObject({ code: 3, stdout: expect.stringContaining('S3_ENDPOINT=') });
    expect(up.stdout).not.toContain('KAFKA');
  });

  it('ends what it was starting when it is interrupted', async () => {
    const dir = await stackFolder();
    const up = startStack(['up', '--native', '--only', 'postgres', '--dir', dir]);
    const told = once(up.stderr ?? up, 'data');
    await told;
    up.kill('SIGINT');
    const [code] = (await once(up, 'exit')) as [number | null];
    expect(code).toBe(130);
    expect((await stack(['status', '--dir', dir])).stdout).toMatch(/^postgres +stopped$/m);
  });

  it.each([
    { words: [], says: 'stack needs a command: up, status, logs, down or fetch (--help says more)' },
    { words: ['start'], says: "unknown command 'start' (Did you mean status?)" },
    { words: ['up', '--force'], says: "unknown option '--force'" },
    { words: ['up', '--only', 'kafka,mysql'], says: '"mysql" is none of kafka, postgres, redis, s3.' },
    { words: ['up', '--nodes', '2'], says: 'Allowed choices are 1, 3.' },
    { words: ['logs', 'mysql'], says: '"mysql" is none of kafka, postgres, redis, s3.' },
    { words: ['down', 'kafka'], says: 'too many arguments' },
  ])('answers wrong usage with one sentence and exit code 2: $words', async ({ words, says }) => {
    const { code, stdout, stderr } = await stack(words);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^aipx: [^\n]+\n$/);
    expect(stderr).toContain(says);
  });
});

describe('npm run stack where a Docker engine answers', () => {
  /**
   * Writes down what it is asked, and agrees; `ON_UP` is what it does when containers are to start. No engine runs: what
   * containers do is not tested here.
   */
  async function fakeDocker(): Promise<{
    readonly env: Readonly<Record<string, string>>;
    readonly asked: () => Promise<string>;
  }> {
    const folder = await testFolder();
    const record = join(folder, 'asked');
    const program = join(folder, 'docker');
    const script = [
      '#!/bin/sh',
      `echo "$@ | $KAFKA_PORT $TIMESCALEDB_PORT" >> ${record}`,
      'case "$*" in *" ps "*) echo kafka; echo postgres ;; *" up "*) eval "$ON_UP" ;; esac',
    ];
    await writeFile(program, `${script.join('\n')}\n`);
    await chmod(program, 0o755);
    return { env: { PATH: `${folder}:${process.env['PATH'] ?? ''}` }, asked: () => readFile(record, 'utf8') };
  }

  it('starts the parts as containers at the addresses that it prints, and takes only those away', async () => {
    const dir = await stackFolder();
    const docker = await fakeDocker();
    const up = await stack(['up', '--only', 'kafka,postgres', '--dir', dir], docker.env);
    expect(up).toMatchObject({ code: 0 });
    const { KAFKA_BROKERS, TIMESCALEDB_PORT } = variables(up.stdout);
    const ports = `${KAFKA_BROKERS?.split(':')[1]} ${TIMESCALEDB_PORT}`;
    expect(await docker.asked()).toMatch(
      new RegExp(
        `compose --file .*docker/compose.yaml --project-name aipx-\\w{8} up --detach --wait kafka postgres \\| ${ports}\n`,
      ),
    );
    expect((await stack(['status', '--dir', dir], docker.env)).stdout).toMatch(
      /^kafka +running +127\.0\.0\.1:\d+ +container$/m,
    );
    expect(await stack(['up', '--only', 'kafka,postgres', '--dir', dir], docker.env)).toMatchObject({
      stdout: up.stdout,
      stderr: '',
    });
    await stack(['down', '--dir', dir], docker.env);
    expect(await docker.asked()).toMatch(/ rm --stop --force kafka postgres /);
  });

  it('tells no address of containers that did not come up, takes them away, and starts them anew', async () => {
    const dir = await stackFolder();
    const docker = await fakeDocker();
    const up = ['up', '--only', 'kafka', '--dir', dir];
    const failed = await stack(up, { ...docker.env, ON_UP: 'echo unhealthy; exit 1' });
    expect(failed).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('unhealthy') });
    expect(await readdir(dir)).not.toContain('stack.env');
    expect(await stack(['status', '--dir', dir], docker.env)).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/^kafka +starting +127\.0\.0\.1:\d+ +container$/m),
    });
    expect(await stack(up, docker.env)).toMatchObject({ code: 0, stdout: expect.stringContaining('KAFKA_BROKERS=') });
    expect(await docker.asked()).toMatch(/ up [^]* rm --stop --force kafka [^]* up /);
  });

  it('takes away the containers of a start that was interrupted', async () => {
    const dir = await stackFolder();
    const docker = await fakeDocker();
    const interrupted = { ...docker.env, ON_UP: 'kill -INT $PPID; exec sleep 600' };
    expect(await stack(['up', '--only', 'kafka,postgres', '--dir', dir], interrupted)).toMatchObject({ code: 130 });
    expect(await stack(['down', '--wipe', '--dir', dir], docker.env)).toMatchObject({ code: 0 });
    expect(await docker.asked()).toMatch(/ down --volumes /);
  });

  it('takes away an S3 server whose bucket could not be made, beside the parts that came up', async () => {
    const dir = await stackFolder();
    const docker = await fakeDocker();
    const up = await stack(['up', '--only', 'kafka,s3', '--dir', dir], docker.env);
    expect(up).toMatchObject({ code: 1, stdout: expect.stringMatching(/^KAFKA_BROKERS=\S+\n$/) });
    await stack(['down', '--dir', dir], docker.env);
    expect(await docker.asked()).toMatch(/ rm --stop --force kafka s3 /);
  });
});
