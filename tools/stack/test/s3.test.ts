import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { startS3, versitygwUnavailable, type S3Options, type S3Server } from '../src/index.js';
import { findProgram } from '../src/programs.js';
import { fetchVersitygw } from '../src/s3/programs.js';
import { testFolder } from './support/folders.js';
import { isAlive } from './support/processes.js';
import { s3Pages, s3Status } from './support/s3-client.js';

const { signal } = new AbortController();
const noGo = versitygwUnavailable();
const noCurl = findProgram('curl') === undefined ? 'needs curl: apt-get install curl' : undefined;

async function start(options: Omit<S3Options, 'signal'>): Promise<S3Server> {
  const server = await startS3({ ...options, signal });
  onTestFinished(() => server.stop());
  return server;
}

const PUT = ['--request', 'PUT', '--data-binary', 'content'];
const CREATE = [...PUT, '--header', 'If-None-Match: *'];

describe.each([
  { name: 'versitygw', conditionalWrites: true, second: 412, missing: noGo ?? noCurl },
  { name: 's3rver', conditionalWrites: false, second: 200, missing: noCurl },
])('S3 by $name', ({ conditionalWrites, second, missing }) => {
  const title = missing === undefined ? '' : ` (${missing})`;

  beforeAll(async () => {
    if (conditionalWrites && missing === undefined) await fetchVersitygw(signal, () => undefined);
  });

  it.skipIf(missing !== undefined)(`has its objects again after a kill, and after a stop${title}`, async () => {
    const server = await start({ folder: await testFolder(), conditionalWrites });
    await server.createBucket('lake');
    await server.createBucket('lake');
    expect(await s3Status(server, '/lake/kept', ...PUT)).toBe(200);
    await server.kill();
    expect(server.pid).toBeUndefined();
    await server.start();
    expect(await s3Status(server, '/lake/kept')).toBe(200);
    const before = server.pid ?? 0;
    await server.stop();
    expect(await isAlive(before)).toBe(false);
    await server.start();
    expect(await s3Status(server, '/lake/kept')).toBe(200);
    expect(await s3Status(server, '/lake/none')).toBe(404);
  });

  it.skipIf(missing !== undefined)(`says truly whether it keeps to If-None-Match${title}`, async () => {
    const server = await start({ folder: await testFolder(), conditionalWrites });
    expect(server.conditionalWrites).toBe(conditionalWrites);
    await server.createBucket('lake');
    expect(await s3Status(server, '/lake/plan', ...CREATE)).toBe(200);
    expect(await s3Status(server, '/lake/plan', ...CREATE)).toBe(second);
  });

  it.skipIf(missing !== undefined)(`lists a bucket page by page${title}`, async () => {
    const server = await start({ folder: await testFolder(), conditionalWrites });
    await server.createBucket('lake');
    for (const key of ['a', 'b', 'c']) expect(await s3Status(server, `/lake/${key}`, ...PUT)).toBe(200);
    expect(await s3Pages(server, 'lake')).toEqual(['a', 'b', 'c']);
  });
});

describe('an S3 bucket', () => {
  it('has a name that S3 allows', async () => {
    const server = await start({ folder: await testFolder(), conditionalWrites: false });
    await expect(server.createBucket('Data Lake')).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('"Data Lake"') as string,
    });
  });
});

const noGate = noGo ?? noCurl;

describe('S3 by versitygw', () => {
  it.skipIf(noGate !== undefined)(
    `refuses who does not know the secret${noGate === undefined ? '' : ` (${noGate})`}`,
    async () => {
      const server = await start({ folder: await testFolder(), conditionalWrites: true });
      expect(await s3Status({ ...server, secretAccessKey: 'guessed' }, '/')).toBe(403);
    },
  );
});
